// This side of the SQLite thread. All statements of one turn of the event loop travel in one
// message, and so do their answers. An I/O error or a dead thread breaks the connection: the pool
// throws it away and opens another. Leaves the meaning of statements to the dialect.

import { Worker } from 'node:worker_threads'
import { BUSY, ENDING } from './sqlite-protocol.js'
import type {
  SqliteAnswer,
  SqliteChanges,
  SqliteFailure,
  SqliteRequest,
  SqliteRows,
  SqliteSettings,
  SqliteWrites,
  SqliteWritten,
} from './sqlite-protocol.js'
import { Unsent } from './trouble.js'

export type SqliteResult = SqliteRows | SqliteChanges | SqliteWritten

interface Waiting {
  resolve(result: SqliteResult): void
  reject(error: Error): void
}

const open = new Set<SqliteConnection>()

export class SqliteConnection {
  readonly #worker: Worker
  readonly #flags = new Int32Array(new SharedArrayBuffer(8))
  readonly #waiting: Waiting[] = []
  #next: (SqliteRequest | SqliteWrites)[] = []
  #broken: Error | undefined
  #ended: Promise<void>

  static async open(settings: Omit<SqliteSettings, 'flags'>): Promise<SqliteConnection> {
    const connection = new SqliteConnection(settings)
    await new Promise<void>((resolve, reject) => {
      connection.#waiting.push({ resolve: () => resolve(), reject })
    })
    return connection
  }

  private constructor(settings: Omit<SqliteSettings, 'flags'>) {
    const workerData = { sqlite: { ...settings, flags: this.#flags } }
    this.#worker = new Worker(new URL('./sqlite-worker.js', import.meta.url), {
      workerData,
      // Not those of the process; and Node still calls its own SQLite experimental.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    this.#worker.on('message', (answers) => this.#answered(answers))
    this.#worker.on('error', (error) => this.#break(error))
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        open.delete(this)
        this.#break(new Error('the SQLite thread has ended'))
        resolve()
      })
    })
    open.add(this)
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  run(request: SqliteRequest | SqliteWrites): Promise<SqliteResult> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (this.#next.length === 0) process.nextTick(() => this.#send())
    this.#next.push(request)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** What was asked before is still answered. */
  close(): Promise<void> {
    this.#send()
    this.#worker.postMessage('close')
    return this.#ended
  }

  #send(): void {
    if (this.#next.length === 0) return
    this.#worker.postMessage(this.#next)
    this.#next = []
  }

  #answered(answers: SqliteAnswer[] | 'open'): void {
    if (answers === 'open') answers = [{ columns: [], rows: [] }]
    for (const answer of answers) {
      const waiting = this.#waiting.shift()
      if ('failure' in answer) waiting?.reject(this.#failed(answer.failure))
      else waiting?.resolve(answer)
    }
  }

  #failed(failure: SqliteFailure): Error {
    const error = Object.assign(new Error(failure.message), failure)
    if (failure.code === 'SQLITE_IOERR' || failure.code === 'SQLITE_CORRUPT') this.#broken = error
    return failure.unsent ? new Unsent(error) : error
  }

  #break(error: Error): void {
    this.#broken ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
  }

  /** Node aborts when it ends a thread in the middle of a native call: wait for the call. */
  static finishAll(): void {
    for (const connection of open) {
      Atomics.store(connection.#flags, ENDING, 1)
      if (Atomics.load(connection.#flags, BUSY)) Atomics.wait(connection.#flags, BUSY, 1, 5000)
    }
  }
}

process.on('exit', () => SqliteConnection.finishAll())
