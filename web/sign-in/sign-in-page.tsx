import { useState } from "react";
import { useSession } from "./use-session.ts";

export function SignInPage({ deployment, notice }: { readonly deployment: string; readonly notice?: string }) {
  const session = useSession();
  const [leaving, setLeaving] = useState(false);
  const signIn = async () => {
    setLeaving(true);
    await session.signIn();
    setLeaving(false);
  };
  return (
    <main className="welcome" id="content">
      <div className="card">
        <div className="brand">
          <img src="/favicon.svg" alt="" />
          <span>
            Headrace <small>{deployment}</small>
          </span>
        </div>
        <h1>Meters, read and accounted for</h1>
        {notice !== undefined && (
          <p className="notice warn" role="alert">
            {notice}
          </p>
        )}
        <p className="muted">You sign in with your utility’s identity provider and come back here.</p>
        <button type="button" className="primary" onClick={signIn} disabled={leaving}>
          {leaving ? "Going to the identity provider…" : "Sign in"}
        </button>
      </div>
    </main>
  );
}
