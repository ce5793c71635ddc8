// A person with a browser: keeps cookies, follows redirects, and fills in the forms of oidc-provider's development pages.

const maxSteps = 30;

export class Browser {
  #cookies = new Map();

  /** Follows an authorization URL through sign-in and consent to the page on which it ends. */
  async signIn(url) {
    return this.#walk(url, undefined);
  }

  /** Enters the code that a device shows, agrees, and signs in. */
  async enterCode(url, userCode) {
    const page = await this.#send(url);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)[1];
    const end = await this.#walk(url, { xsrf, user_code: userCode, confirm: 'yes' });
    if (!/success/i.test(end.text)) {
      throw new Error(`the code was not accepted: ${end.text.slice(0, 500)}`);
    }
    return end;
  }

  async #walk(start, fields) {
    let [url, form] = [start, fields];
    for (let step = 0; step < maxSteps; step++) {
      const page = await this.#send(url, form);
      form = undefined;
      const prompt = /name="prompt" value="(login|consent)"/.exec(page.text)?.[1];
      if (page.location) {
        url = page.location;
      } else if (prompt) {
        url = new URL(/action="([^"]+)"/.exec(page.text)[1], url).href;
        form = prompt === 'login' ? { prompt, login: 'somebody', password: 'x' } : { prompt };
      } else {
        return page;
      }
    }
    throw new Error(`no end after ${maxSteps} steps at ${url}`);
  }

  async #send(url, form) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === '') {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, value);
      }
    }
    const location = response.headers.get('location');
    return { status: response.status, text: await response.text(), location: location && new URL(location, url).href };
  }
}
