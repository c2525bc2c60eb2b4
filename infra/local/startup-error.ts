/** What a user can put right: told as it is, without a stack, and the command ends with exit code 2. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}
