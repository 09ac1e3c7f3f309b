// Many accounts for ejabberd at once: twenty thousand registrations, each with its password hashed,
// would take minutes. The server is started with an expression that waits for a file of names and
// writes them into its table as its own provider does, all with one salt.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DOMAIN, type Site } from './peer.js'

const ROUNDS = 4096
const SALT = 'benchmark-salt'
const LIMIT_MS = 120_000

const askedIn = (folder: string) => join(folder, 'accounts.term')
const doneIn = (folder: string) => join(folder, 'accounts.done')

/** The record `{passwd, {User, Server}, {scram, StoredKey, ServerKey, Salt, Hash, Rounds}}`. */
export function accountsExpression(folder: string): string {
  const asked = askedIn(folder)
  return `spawn(fun() ->
    Wait = fun W() -> case file:consult("${asked}") of
      {ok, [{Names, Keys}]} ->
        [mnesia:dirty_write({passwd, {N, <<"${DOMAIN}">>}, Keys}) || N <- Names],
        ok = file:write_file("${doneIn(folder)}", "done"), file:delete("${asked}"), W();
      _ -> timer:sleep(100), W() end end,
    Wait() end).`.replace(/\s+/g, ' ')
}

function keys(password: string): string {
  const salted = pbkdf2Sync(password, SALT, ROUNDS, 20, 'sha1')
  const key = (name: string) => createHmac('sha1', salted).update(name).digest()
  const stored = createHash('sha1').update(key('Client Key')).digest('base64')
  const server = key('Server Key').toString('base64')
  const salt = Buffer.from(SALT).toString('base64')
  return `{scram, <<"${stored}">>, <<"${server}">>, <<"${salt}">>, sha, ${ROUNDS}}`
}

export async function addAccounts(
  { folder }: Site,
  names: readonly string[],
  password: string,
): Promise<void> {
  const list = names.map((name) => `<<"${name}">>`).join(', ')
  rmSync(doneIn(folder), { force: true })
  const file = askedIn(folder)
  writeFileSync(`${file}.new`, `{[${list}], ${keys(password)}}.\n`)
  renameSync(`${file}.new`, file)
  for (let ms = 0; ms < LIMIT_MS; ms += 50) {
    if (existsSync(doneIn(folder))) return
    await pause(50)
  }
  throw new Error('ejabberd did not take the accounts')
}
