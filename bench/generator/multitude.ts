// A share of very many sessions: they come up, say so, and when all are told to go on a few of them chat
// and change their presence, at random moments. The sessions of this share are pairs.
import type { Job, Outcome, Plan } from '../job.js'
import { Chat, type ChatPlan } from './chat.js'
import { readyToGo, told } from './conductor.js'
import type { Connection } from './connection.js'
import { type Begin, Crowd, logIn } from './crowd.js'

type CrowdPlan = Extract<Plan, { kind: 'crowd' }>

const PRESENCES = ['<presence><show>away</show></presence>', '<presence/>']

/** Accounts from a number on. */
export function logInFrom(job: Job, first: number): Begin {
  const begin = logIn(job)
  return (index, outcome) => begin(first + index, outcome)
}

export async function multitude(job: Job, plan: CrowdPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logInFrom(job, plan.first))
  await readyToGo()
  const { rate, bodyBytes, warmUpSeconds, seconds } = plan
  const chatting: ChatPlan = {
    ...{ kind: 'chat', users: plan.users, inFlight: 1, writers: 0, kept: false },
    ...{ rate, bodyBytes, warmUpSeconds, seconds },
    askEvery: job.login.modern ? 1 : 0,
  }
  const quiet = changePresences(crowd.live(), plan.presences)
  const outcome = await new Chat(job, chatting, crowd).run({ ...job, until: told('stop') })
  quiet()
  const sessions = crowd.live().length
  crowd.close()
  return { ...outcome, figures: { ...outcome.figures, sessions } }
}

/** So many a second in all; each session is away and here by turns. */
function changePresences(sessions: readonly Connection[], perSecond: number): () => void {
  if (perSecond === 0 || sessions.length === 0) return () => {}
  const turns = new Map<Connection, number>()
  const timer = setInterval(() => {
    const one = sessions[Math.floor(Math.random() * sessions.length)]!
    const turn = turns.get(one) ?? 0
    turns.set(one, turn + 1)
    one.write(PRESENCES[turn % PRESENCES.length]!)
  }, 1000 / perSecond)
  return () => clearInterval(timer)
}
