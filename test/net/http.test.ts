// HTTP: routes, canonical paths, bounds on what strangers send.

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Agent, get as httpsGet } from 'node:https'
import { test } from 'tap'
import { HttpRefusal, type HttpRequest, type HttpRoute, Routes } from '../../lib/net/http.js'
import { canonicalPath } from '../../lib/net/http-path.js'
import { TrustedProxies } from '../../lib/net/trusted-proxies.js'
import { ManualClock } from '../world/clock.js'
import { dial, localCertificates, openHttp } from './ports.js'
import { ask, readResponse } from './websocket-client.js'

function route(method: HttpRoute['method'], path: string, text = path): HttpRoute {
  return {
    method,
    path,
    handle: (request, response) => void response.end(`${text} ${request.rest}`),
  }
}

const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: montague.example\r\n${headers}\r\n`

test('the longest route wins; methods that a path does not have are named', async (t) => {
  const port = await openHttp(t)
  port.routes.add('montague.example pages', route('GET', '/'))
  port.routes.add('montague.example files', route(['GET', 'PUT'], '/upload/*'))
  port.routes.add('montague.example files', route('GET', '/upload/list'))
  port.routes.add('montague.example chat', route('GET', '/*'))
  const read = async (path: string): Promise<string> => {
    const socket = await dial(port.port)
    socket.write(get(path, 'Connection: close\r\n'))
    const { head, body } = await readResponse(socket)
    socket.destroy()
    t.match(head, /x-content-type-options: nosniff/i)
    return body
  }
  t.match(await read('/'), '/ ')
  t.equal((await read('/upload/a/b.png')).trim(), '/upload/* a/b.png')
  t.equal((await read('/upload/list')).trim(), '/upload/list')
  t.equal((await read('/uploads')).trim(), '/* uploads')
  const refused = await ask(port.port, get('/upload/x').replace('GET', 'DELETE'))
  t.equal(refused.status, 405)
  t.match(refused.head, /allow: GET, PUT/i)
  port.routes.remove('montague.example chat')
  t.equal((await ask(port.port, get('/uploads'))).status, 404)
})

test('a route of several hosts is chosen by the Host header; removing one leaves the others', (t) => {
  const routes = new Routes()
  const [ours, theirs] = [route('GET', '/chat'), route('GET', '/chat')]
  routes.add('montague.example chat', ours)
  routes.add('capulet.example chat', theirs)
  t.match(routes.find('GET', '/chat', 'capulet.example'), { route: theirs })
  t.match(routes.find('GET', '/chat', 'elsewhere.example'), { route: ours })
  t.match(routes.find('HEAD', '/chat', 'montague.example'), { route: ours })
  routes.remove('montague.example chat')
  t.match(routes.find('GET', '/chat', 'montague.example'), { route: theirs })
  routes.remove('capulet.example chat', theirs)
  t.equal(routes.find('GET', '/chat'), 'no path')
  t.end()
})

const corpus = [
  '/../admin',
  '/upload/../admin',
  '/upload/..',
  '/./admin',
  '/upload/%2e%2e/admin',
  '/upload/%2E./admin',
  '/%u002e%u002e/admin',
  '/upload/%252e%252e/admin',
  '/%25%32%65/admin',
  '/upload/..;/admin',
  '/admin;jsessionid=1',
  '/upload\\..\\admin',
  '/upload/%5c..%5cadmin',
  '/upload%2f..%2fadmin',
  '/admin%00.png',
  '/upload/%c0%ae%c0%ae/admin',
  '/%e0%80%ae/admin',
  '/%ff',
  '//admin',
  '/upload//admin',
  '//evil.example/admin',
  'http://evil.example/admin',
  'http:/admin',
  '/admin%0d%0aSet-Cookie:x',
  '/%7f',
  '/admin#x',
  '/...',
  '/admin%',
  '/admin%2',
  '/adm\xefn',
  '*',
  '',
  `/${'a'.repeat(5000)}`,
]

test('SEC-29: paths that are not plainly right never reach a route', async (t) => {
  const port = await openHttp(t)
  const reached: string[] = []
  const everything: HttpRoute = {
    method: ['GET', 'POST'],
    path: '/*',
    handle(request, response) {
      reached.push(request.path)
      response.end()
    },
  }
  port.routes.add('montague.example all', everything)
  port.routes.add('montague.example admin', { ...everything, path: '/admin' })
  for (const path of corpus) {
    t.equal(canonicalPath(path), undefined, path)
    if (path === '') continue
    const { status } = await ask(port.port, get(path))
    t.ok(status === 400 || status === 404, `${path}: ${status}`)
  }
  t.same(reached, [])
})

test('paths are decoded once', (t) => {
  t.same(canonicalPath('/api/v1/users/romeo@montague.example?limit=5?'), {
    path: '/api/v1/users/romeo@montague.example',
    query: 'limit=5?',
  })
  t.equal(canonicalPath('/upload/f%C3%BCr%20alle.png')?.path, '/upload/für alle.png')
  t.equal(canonicalPath('/upload/100%25')?.path, '/upload/100%')
  t.equal(canonicalPath('/chat/')?.path, '/chat/')
  t.equal(canonicalPath('/.well-known/host-meta')?.path, '/.well-known/host-meta')
  t.end()
})

function reading(limit?: number) {
  return async (request: HttpRequest, response: ServerResponse): Promise<void> => {
    const body = await request.body(limit)
    response.end(String(body.length))
  }
}

test('bodies have a bound, and compressed ones are refused (SEC-05)', async (t) => {
  const port = await openHttp(t)
  port.routes.add('montague.example api', { method: 'POST', path: '/api', handle: reading(1000) })
  const post = (headers: string, body: string): string =>
    `POST /api HTTP/1.1\r\nHost: montague.example\r\n${headers}\r\n\r\n${body}`
  t.match(await ask(port.port, post('Content-Length: 1000', 'x'.repeat(1000))), {
    status: 200,
    body: '1000',
  })
  t.equal((await ask(port.port, post('Content-Length: 1001', 'x'))).status, 413)
  const chunk = `800\r\n${'x'.repeat(2048)}\r\n`
  t.equal((await ask(port.port, post('Transfer-Encoding: chunked', chunk))).status, 413)
  t.equal(
    (await ask(port.port, post('Content-Length: 3\r\nContent-Encoding: gzip', 'xxx'))).status,
    415,
  )
})

test('SEC-08: two thousand headers, or long ones, are answered with 431', async (t) => {
  const port = await openHttp(t)
  port.routes.add('montague.example pages', route('GET', '/'))
  t.equal((await ask(port.port, get('/', 'a: b\r\n'.repeat(2000)))).status, 431)
  t.equal((await ask(port.port, get('/', `a: ${'b'.repeat(20_000)}\r\n`))).status, 431)
  t.equal((await ask(port.port, get('/', 'a: b\r\n'.repeat(50)))).status, 200)
})

test('what a route throws is answered: a refusal as it says, anything else as 500 and told', async (t) => {
  const failures: unknown[] = []
  const port = await openHttp(t, { failed: (error) => failures.push(error) })
  const throwing = (path: string, error: Error): HttpRoute => ({
    method: 'GET',
    path,
    handle() {
      throw error
    },
  })
  port.routes.add('montague.example bad', throwing('/refused', new HttpRefusal(403, 'not you')))
  port.routes.add('montague.example bad', throwing('/broken', new TypeError('secret detail')))
  t.match(await ask(port.port, get('/refused')), { status: 403, body: 'not you\n' })
  const broken = await ask(port.port, get('/broken'))
  t.equal(broken.status, 500)
  t.notMatch(broken.body, /secret/)
  t.equal(failures.length, 1)
})

test('a request knows where it comes from: X-Forwarded-For only from trusted proxies (SEC-69)', async (t) => {
  const headers = 'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n'
  for (const trusted of [true, false]) {
    const port = await openHttp(t, { proxies: new TrustedProxies(trusted ? ['127.0.0.1'] : []) })
    port.routes.add('montague.example whoami', {
      method: 'GET',
      path: '/whoami',
      handle({ remote, secure, host }, response) {
        response.end(JSON.stringify([remote.address, remote.proxied, secure, host]))
      },
    })
    const { body } = await ask(port.port, get('/whoami', headers))
    const expected = trusted ? ['203.0.113.9', true, true] : ['127.0.0.1', false, false]
    t.same(JSON.parse(body), [...expected, 'montague.example'])
  }
})

test('HTTPS serves with the certificate of the host, and keeps a connection for more requests', async (t) => {
  const port = await openHttp(t, { certificates: await localCertificates(t) })
  port.routes.add('localhost pages', {
    method: 'GET',
    path: '/',
    handle: ({ secure }, response) => void response.end(String(secure)),
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  const ports = new Set<number | undefined>()
  for (let i = 0; i < 3; i++) {
    const asked = httpsGet({
      port: port.port,
      host: '127.0.0.1',
      servername: 'localhost',
      path: `/?${i}`,
      agent,
    })
    const [response] = await once(asked, 'response')
    t.equal(String(Buffer.concat(await response.toArray())), 'true')
    ports.add(asked.socket?.localPort)
  }
  t.equal(ports.size, 1)
  agent.destroy()
})

test('a request that takes its time does not hold up closing', async (t) => {
  const clock = new ManualClock()
  const port = await openHttp(t, { clock })
  const begun = new Promise<void>((resolve) => {
    port.routes.add('montague.example api', {
      method: 'POST',
      path: '/api',
      handle: () => {
        resolve()
        return new Promise(() => {})
      },
    })
  })
  const socket = await dial(port.port)
  socket.write('POST /api HTTP/1.1\r\nHost: montague.example\r\nContent-Length: 1000\r\n\r\nslow')
  await begun
  const closed = port.listener.close()
  clock.advance(5_000)
  await closed
  await once(socket, 'close')
  t.pass('both ended')
})
