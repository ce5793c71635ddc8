// compare.mjs FOLDER...: each FOLDER holds the suite's results in `direct` and `proxied`. Prints every check whose verdict
// differs, then `N passed, N failed`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The verdicts of one leg: `scenario/check#occurrence` to status. */
function verdicts(leg) {
    const found = new Map();
    for (const folder of existsSync(leg) ? readdirSync(leg).sort() : []) {
        const file = join(leg, folder, 'checks.json');
        if (!existsSync(file)) {
            continue;
        }
        // A results folder is named for its scenario and the time of its run.
        const scenario = folder.replace(/-\d{4}-\d{2}-\d{2}T.*$/, '');
        const seen = new Map();
        // An INFO is a log line, not a verdict: how many there are depends on timing.
        for (const check of JSON.parse(readFileSync(file, 'utf8')).filter(({ status }) => status !== 'INFO')) {
            const occurrence = (seen.get(check.id) ?? 0) + 1;
            seen.set(check.id, occurrence);
            found.set(`${scenario}/${check.id}#${occurrence}`, check);
        }
    }
    return found;
}

let passed = 0;
let failed = 0;
for (const folder of process.argv.slice(2)) {
    const direct = verdicts(join(folder, 'direct'));
    const proxied = verdicts(join(folder, 'proxied'));
    for (const key of new Set([...direct.keys(), ...proxied.keys()])) {
        const before = direct.get(key)?.status ?? 'missing';
        const after = proxied.get(key)?.status ?? 'missing';
        if (before === after) {
            passed++;
        } else {
            failed++;
            console.log(`${basename(folder)} ${key}: ${before} directly, ${after} through the proxy: ${proxied.get(key)?.errorMessage ?? ''}`);
        }
    }
    const scores = [...direct.values()].filter(check => check.status === 'FAILURE').length;
    console.log(`${basename(folder)}: ${direct.size} checks directly (${scores} failures of the server itself), ${proxied.size} through the proxy`);
    if (direct.size === 0) {
        failed++;
        console.log(`${basename(folder)}: the suite gave no result`);
    }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
