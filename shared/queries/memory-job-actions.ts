import type { JobAction, JobActions } from "./act-on-jobs.ts";

/** Actions on jobs in memory, with the same conditions as the real ones. */
export function memoryJobActions(): JobActions {
  const actions = new Map<string, JobAction>();
  return {
    async begin(action) {
      const there = actions.get(action.actionId);
      if (there !== undefined) return there;
      actions.set(action.actionId, action);
      return action;
    },
    read: async (actionId) => actions.get(actionId),
    finish: async (action) => void actions.set(action.actionId, action),
  };
}
