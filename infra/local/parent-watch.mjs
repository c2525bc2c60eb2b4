// Loaded before a child's own code: a child whose parent is gone (killed, crashed) ends itself, as a task would be ended.
const GRACE_MS = 5_000;
process.once("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), GRACE_MS).unref();
});
process.channel?.unref();
