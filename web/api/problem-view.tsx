import { adviceOn, problemOfError } from "./api-error.ts";

/** An error as people need it: what, why, which field, what was expected, and what to do. */
export function ProblemView({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = problemOfError(error);
  return (
    <div className="problem" role="alert">
      <strong>{problem.title}</strong>
      <p>{problem.detail}</p>
      {problem.errors !== undefined && problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ field, expected, received }) => (
            <li key={`${field} ${expected}`}>
              <span className="mono">{field}</span>: expected {expected}
              {received !== undefined && (
                <>
                  , got <span className="mono">{received}</span>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      <p>{adviceOn(problem)}</p>
      {problem.correlationId !== undefined && <p className="small muted">Reference {problem.correlationId}</p>}
      {retry !== undefined && (
        <div>
          <button type="button" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}
