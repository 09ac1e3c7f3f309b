// What a process wrote to some files and when it was promised to be on disk, read from a log of
// strace (-f -y -ttt -T -xx). A call that another thread interrupted is in two lines there.

export interface TracedCall {
  /** Seconds since 1970 when it returned */
  t: number
  call: 'write' | 'truncate' | 'sync'
  file: string
  /** Of a write; the new length of a truncation */
  offset: number
  bytes: Buffer
}

/** What strace is told to show of these files */
export function straceCommand(log: string, files: readonly string[]): string[] {
  const form = ['-f', '--seccomp-bpf', '-y', '-ttt', '-T', '-xx', '-s', '1000000', '-qq']
  const calls = 'trace=pwrite64,pwritev,write,writev,ftruncate,fsync,fdatasync,fallocate'
  const paths = files.flatMap((file) => ['-P', file])
  return ['strace', ...form, '-e', calls, ...paths, '-o', log]
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/
const CALL = /^(\w+)\(\d+<([^>]*)>(.*)\) += (-?\d+)[^<]*(?:<([\d.]+)>)?$/
const UNFINISHED = /^(.*) <unfinished \.\.\.>$/
const RESUMED = /^<\.\.\. \w+ resumed>(.*)$/

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex')

export class TraceReader {
  readonly calls: TracedCall[] = []
  readonly #unfinished = new Map<string, string>()

  line(line: string): void {
    const [, thread, time, text] = LINE.exec(line) ?? []
    if (!thread || !time || !text) return
    const begun = UNFINISHED.exec(text)
    if (begun) {
      this.#unfinished.set(thread, begun[1]!)
      return
    }
    const ended = RESUMED.exec(text)
    if (!ended) {
      this.#call(text, Number(time), true)
      return
    }
    this.#call(`${this.#unfinished.get(thread) ?? ''}${ended[1]}`, Number(time), false)
    this.#unfinished.delete(thread)
  }

  /** The time before a whole line is that of the call, before a resumed one that of its return. */
  #call(text: string, time: number, whole: boolean): void {
    const [, name, path, rest, result, took] = CALL.exec(text) ?? []
    if (!name || !path || rest === undefined || Number(result) < 0) return
    const t = whole ? time + Number(took ?? 0) : time
    const file = unhex(path).toString()
    const done = { t, file, offset: 0, bytes: Buffer.alloc(0) }
    if (name === 'fsync' || name === 'fdatasync') this.calls.push({ ...done, call: 'sync' })
    else if (name === 'ftruncate') {
      this.calls.push({ ...done, call: 'truncate', offset: Number(rest.replace(/^, /, '')) })
    } else if (name === 'pwrite64') this.#write(rest, Number(result), done)
    else throw new Error(`${name} on ${file}: this way of writing is not known here`)
  }

  #write(rest: string, length: number, done: Omit<TracedCall, 'call'>): void {
    const [, hex, offset] = /^, "([^"]*)", \d+, (\d+)$/.exec(rest) ?? []
    if (hex === undefined) throw new Error(`a write that was not understood: ${rest.slice(0, 80)}`)
    const bytes = unhex(hex).subarray(0, length)
    this.calls.push({ ...done, call: 'write', offset: Number(offset), bytes })
  }
}
