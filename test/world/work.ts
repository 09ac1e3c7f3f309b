// What something costs this process: its own time on a core, so that others on the machine do not count.

/** Milliseconds */
export function work(run: () => unknown): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
