// A program with a folder of its own that ends with the test process, in whatever way that ends: a shell
// watches over it, and when the shell's input ends, it stops the program and removes the folder.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'

export type Ending = 'INT' | 'QUIT' | 'KILL'

export interface Watching {
  readonly folder: string
  readonly command: readonly string[]
  /** The signal that stops it in the end */
  readonly ending: Ending
  readonly options?: Pick<SpawnOptions, 'env' | 'uid' | 'gid'>
}

// $1 is the folder, $2 the signal in the end, the rest is the command. A word is a signal, or starts it again.
const WATCH = `
folder=$1; ending=$2; shift 2
start() { "$@" >>"$folder/log" 2>&1 & pid=$!; }
start "$@"
while read -r word; do
  case $word in
    start) start "$@" ;;
    STOP|CONT) kill -$word $pid ;;
    *) kill -$word $pid; wait $pid ;;
  esac
done
kill -CONT $pid; kill -$ending $pid; wait $pid
rm -rf "$folder"
`

export class Watched {
  readonly #shell: ChildProcess

  constructor({ folder, command, ending, options }: Watching) {
    this.#shell = spawn('/bin/sh', ['-c', WATCH, 'sh', folder, ending, ...command], {
      ...options,
      cwd: folder,
      // Its own group: Ctrl-C in a terminal must not end the shell before its work is done.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.unref()
    ;(this.#shell.stdin as unknown as { unref(): void }).unref()
  }

  /** The process that the program descends from */
  get pid(): number {
    return this.#shell.pid!
  }

  get over(): boolean {
    return this.#shell.exitCode !== null
  }

  /** After STOP it hangs, and its connections stand. */
  signal(name: Ending | 'STOP' | 'CONT'): void {
    this.#shell.stdin!.write(`${name}\n`)
  }

  again(): void {
    this.#shell.stdin!.write('start\n')
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#shell.once('exit', resolve))
    this.#shell.ref()
    this.#shell.stdin!.end()
    await ended
  }
}
