import { createHash, generateKeyPairSync, type JsonWebKey, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A demo person; on AWS people are kept in the user pool. */
export interface DemoUser {
  readonly name: string;
  readonly password: string;
  readonly role: string;
  /** `sub`: a UUID, as Cognito's. */
  readonly id: string;
}

/** A client of the template's user pool. */
export interface IssuerClient {
  readonly id: string;
  /** Client credentials and these scopes; absent: code with PKCE, in a browser. */
  readonly machine?: { readonly scopes: readonly string[] };
  readonly callbackUrls: readonly string[];
  readonly logoutUrls: readonly string[];
}

interface Stored {
  readonly key: JsonWebKey & { readonly kid: string };
  readonly cookies: string;
  readonly passwords: Record<string, string>;
  readonly secrets: Record<string, string>;
}

const secret = (): string => randomBytes(18).toString("base64url");

const uuidOf = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
};

/** Signing key, passwords and client secrets of the local issuer: made once, and the same again with a data folder. */
export class IssuerDirectory {
  readonly #stored: Stored;
  readonly #save: () => void;

  constructor(directory?: string) {
    const file = directory === undefined ? undefined : join(directory, "issuer.json");
    if (file !== undefined && existsSync(file)) this.#stored = JSON.parse(readFileSync(file, "utf8")) as Stored;
    else {
      const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
      const kid = createHash("sha256").update(String(jwk.n)).digest("base64url").slice(0, 16);
      this.#stored = { key: { ...jwk, kid, alg: "RS256", use: "sig" }, cookies: secret(), passwords: {}, secrets: {} };
    }
    this.#save = () => {
      if (directory === undefined || file === undefined) return;
      mkdirSync(directory, { recursive: true });
      writeFileSync(file, JSON.stringify(this.#stored), { mode: 0o600 });
    };
    this.#save();
  }

  get signingKey(): Stored["key"] {
    return this.#stored.key;
  }
  get cookieKey(): string {
    return this.#stored.cookies;
  }

  /** A person of a role, named by it; others of the same role have names of their own. */
  user(role: string, name = role): DemoUser {
    let password = this.#stored.passwords[name];
    if (password === undefined) {
      password = secret();
      this.#stored.passwords[name] = password;
      this.#save();
    }
    return { name, password, role, id: uuidOf(`headrace local user ${name}`) };
  }

  clientSecret(clientId: string): string {
    const known = this.#stored.secrets[clientId];
    if (known !== undefined) return known;
    const made = secret();
    this.#stored.secrets[clientId] = made;
    this.#save();
    return made;
  }
}
