// Removing an account. The tombstone is written first, in one transaction with the end of its name
// and keys; then the message log lets go of it in steps, and every module forgets it, each in a
// transaction that also says it is done. What a crash interrupts is taken up again. Its number is never used again, so whatever is still there
// belongs to nobody else.

import type { Account } from '../../lib/core/module.js'
import type { Host } from '../../lib/core/host.js'
import { Jid } from '../../lib/xmpp/jid.js'

export class Removals {
  readonly #host: Host
  readonly #running = new Map<number, Promise<void>>()

  constructor(host: Host) {
    this.#host = host
  }

  /** From here on there is no such account. */
  begin({ number, jid }: Account): Promise<void> {
    const { domain: host, local } = jid
    return this.#host.database.transaction(async (trx) => {
      await trx('account_tombstones')
        .insert({ host, local, number, removed: this.#host.clock.now() })
        .onConflict(['host', 'local'])
        .merge()
      await trx('account_removals').insert({ number, host, local }).onConflict('number').ignore()
      await trx('account_keys').where({ number }).delete()
      await trx('accounts').where({ number }).delete()
    })
  }

  /** Those that a crash or a failure interrupted. */
  async resume(): Promise<void> {
    const rows: { number: number; local: string }[] = await this.#host.database
      .knex('account_removals')
      .where({ host: this.#host.domain })
      .select('number', 'local')
    for (const { number, local } of rows) {
      await this.finish({ number, jid: Jid.of(local, this.#host.domain), disabled: true })
    }
  }

  finish(account: Account): Promise<void> {
    const running = this.#running.get(account.number)
    if (running) return running
    const finished = this.#finish(account).finally(() => this.#running.delete(account.number))
    this.#running.set(account.number, finished)
    return finished
  }

  async #finish(account: Account): Promise<void> {
    const { number } = account
    if (!(await this.#clear(number))) return
    const { knex } = this.#host.database
    const done: string[] = await knex('account_removal_steps').where({ number }).pluck('module')
    let whole = true
    for (const { owner } of this.#host.offered('account')) {
      if (!done.includes(owner)) whole = (await this.#step(account, owner)) && whole
    }
    if (!whole) return
    await this.#host.database.transaction(async (trx) => {
      await trx('account_removal_steps').where({ number }).delete()
      await trx('account_removals').where({ number }).delete()
    })
  }

  /** What may be much: not within one transaction, which would keep all others from writing. */
  async #clear(number: number): Promise<boolean> {
    const { messages, server } = this.#host
    try {
      while (!server.stopping) if (!(await messages.clear(number))) return true
    } catch (error) {
      this.#host.failed(`message log: forgetting account ${number}`, error)
    }
    return false
  }

  /** A module that fails is asked again later; the others are not kept from theirs. */
  async #step(account: Account, owner: string): Promise<boolean> {
    const offer = this.#host.modules.get(owner)?.offers.account
    try {
      const after = await this.#host.database.transaction(async (trx) => {
        const forgotten = await offer?.forget(account, trx)
        const step = { number: account.number, module: owner }
        await trx('account_removal_steps').insert(step).onConflict(['number', 'module']).ignore()
        return forgotten
      })
      after?.()
      return true
    } catch (error) {
      this.#host.failed(`${owner}: forgetting account ${account.number}`, error)
      return false
    }
  }
}
