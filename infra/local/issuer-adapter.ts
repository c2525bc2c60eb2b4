import type { Adapter, AdapterPayload } from "oidc-provider";

interface Kept {
  readonly payload: AdapterPayload;
  readonly until: number;
}

/** What the issuer remembers (sessions, codes, refresh tokens): in memory, as long as it runs. */
export function issuerAdapter(): (model: string) => Adapter {
  const store = new Map<string, Kept>();
  const live = (key: string): AdapterPayload | undefined => {
    const kept = store.get(key);
    if (kept === undefined) return undefined;
    if (kept.until > Date.now()) return kept.payload;
    store.delete(key);
    return undefined;
  };
  return (model) => {
    const key = (id: string): string => `${model}:${id}`;
    const by = (field: "uid" | "userCode", value: string): AdapterPayload | undefined => {
      for (const [name, { payload }] of store)
        if (name.startsWith(`${model}:`) && payload[field] === value) return live(name);
      return undefined;
    };
    return {
      async upsert(id, payload, expiresIn) {
        store.set(key(id), { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY });
      },
      async find(id) {
        return live(key(id));
      },
      async findByUid(uid) {
        return by("uid", uid);
      },
      async findByUserCode(userCode) {
        return by("userCode", userCode);
      },
      async consume(id) {
        const payload = live(key(id));
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      async destroy(id) {
        store.delete(key(id));
      },
      async revokeByGrantId(grantId) {
        for (const [name, { payload }] of store) if (payload.grantId === grantId) store.delete(name);
      },
    };
  };
}
