// SEC-03: whoever comes and goes before they are logged in leaves nothing behind, in whatever state
// they go. Some thousands of visits here; test/soak/cycles makes a hundred thousand in each state.
// The server is a process of its own: what the visitors themselves leave must not count.

import { t as file, test } from 'tap'
import { cycles, states } from '../soak/states.js'
import { Subject } from '../soak/subject.js'
import { leftBehind } from '../soak/verdict.js'

file.setTimeout(120_000)

for (const kind of ['TCP', 'WebSocket'] as const) {
  const chosen = states.filter(({ port }) => port.startsWith('http') === (kind === 'WebSocket'))
  test(`SEC-03: strangers leave nothing behind, in every state; over ${kind}`, async (t) => {
    const subject = await Subject.start()
    t.teardown(() => subject.stop())
    const { ports } = subject
    const visit = async (): Promise<void> => {
      for (const state of chosen) await cycles(state, { ports, count: state.tls ? 60 : 300 })
    }
    // What is compiled and cached on the way comes first and ends; what leaks does not end.
    let left = ['nothing measured']
    let before = await subject.measure()
    for (let round = 0; round < 5 && left.length > 0; round++) {
      await visit()
      const after = await subject.measure()
      left = leftBehind(before, after)
      before = after
    }
    t.same(left, [])
  })
}
