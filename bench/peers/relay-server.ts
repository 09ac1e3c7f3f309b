// The least that a server on this runtime can do: believe whoever comes, give out addresses, and
// hand each message to the session it names without looking into it or checking anything. Not a
// server for people; the yardstick that tells what the runtime and the machine can carry, and so
// what a slow hour of a shared machine did to every other figure.
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Scanner } from '../generator/scanner.js'

const STREAM =
  "<?xml version='1.0'?><stream:stream from='localhost' id='relay' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features>"
const MECHANISMS =
  "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"

const sessions = new Map<string, Session>()
const ROOMS = 'rooms.localhost'
const rooms = new Map<string, Map<Session, string>>()
const dirty: Session[] = []

function flushAll(): void {
  for (const session of dirty) session.flush()
  dirty.length = 0
}

class Session {
  private readonly socket: Socket
  private readonly scanner = new Scanner(this)
  private name = ''
  private address = ''
  private out = ''
  private fresh = true

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.received(bytes))
    socket.on('close', () => this.gone()).on('error', () => {})
  }

  private received(bytes: Buffer): void {
    if (this.fresh) {
      this.fresh = false
      this.send(STREAM + (this.name === '' ? MECHANISMS : BIND))
    }
    this.scanner.feed(bytes, bytes.length)
  }

  send(text: string): void {
    if (this.out === '' && dirty.push(this) === 1) setImmediate(flushAll)
    this.out += text
  }

  flush(): void {
    this.socket.write(this.out, 'latin1')
    this.out = ''
  }

  stanza(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    if (text.startsWith('<message')) this.forward(text)
    else if (text.startsWith('<auth')) this.authenticate(text)
    else if (text.startsWith('<iq')) this.answer(text)
    else if (text.includes(`@${ROOMS}/`)) this.enter(text)
    else if (text.startsWith('<presence')) this.send(`<presence from='${this.address}'/>`)
  }

  private forward(text: string): void {
    const from = text.indexOf("to='") + 4
    if (text.includes("type='groupchat'")) {
      this.tell(text, from)
      return
    }
    const recipient = sessions.get(text.slice(from, text.indexOf('@', from)))
    recipient?.send(`<message from='${this.address}'${text.slice(8)}`)
  }

  /** What it says is the same for all of the room. */
  private tell(text: string, from: number): void {
    const end = text.indexOf("'", from)
    const room = text.slice(from, end)
    const here = rooms.get(room)
    const head = `<message from='${room}/${here?.get(this)}' to='`
    const tail = text.slice(end).replace(' ', " type='groupchat' ")
    for (const session of here?.keys() ?? []) session.send(head + session.address + tail)
  }

  private enter(text: string): void {
    const [, room = '', nick = ''] = /to='([^/']+)\/([^']+)/.exec(text) ?? []
    const here = rooms.get(room) ?? new Map<Session, string>()
    rooms.set(room, here)
    here.set(this, nick)
    const x = "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>"
    this.send(`<presence from='${room}/${nick}'>${x}</presence>`)
  }

  private authenticate(text: string): void {
    const response = Buffer.from(/>([^<]*)</.exec(text)?.[1] ?? '', 'base64').toString()
    this.name = response.split('\0')[1] ?? ''
    this.address = `${this.name}@localhost/bench`
    this.fresh = true
    this.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    this.scanner.restart()
  }

  private answer(text: string): void {
    const id = /id='([^']*)/.exec(text)?.[1]
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${this.address}</jid></bind>`
    const binds = text.includes('xmpp-bind')
    if (binds) sessions.set(this.name, this)
    const payload = binds ? bind : "<query xmlns='jabber:iq:roster'/>"
    this.send(`<iq type='result' id='${id}'>${payload}</iq>`)
  }

  private gone(): void {
    sessions.delete(this.name)
    for (const here of rooms.values()) here.delete(this)
  }

  streamClosed(): void {
    this.socket.end()
  }
}

const [clear, tls, chain, key] = process.argv.slice(2) as [string, string, string, string]
const accept = (socket: Socket) => void new Session(socket)
createServer(accept).listen(Number(clear), '127.0.0.1')
const secrets = { cert: readFileSync(chain), key: readFileSync(key) }
createTlsServer(secrets, accept).listen(Number(tls), '127.0.0.1')
