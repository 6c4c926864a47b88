import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type Server as TcpServer } from 'node:net'
import { Server } from 'proxy-chain'

/**
 * The proxy that the demo sells: a real one (HTTP and CONNECT) on loopback, so that what was bought works with curl. It lets in the
 * credentials that the supplier's stand-in sold and those of the seeded stock, and answers 407 to everyone else.
 */
export type Exit = { port: number; close: () => Promise<void> }

/** The login of one proxy of the seeded stock. Nothing is stored: the password follows from the number and the instance's key. */
export function stockCredential(index: number, key: string): { username: string; password: string } {
  const username = `stock-${String(index).padStart(6, '0')}`
  return { username, password: stockPassword(username, key) }
}

function stockPassword(username: string, key: string): string {
  return createHmac('sha256', key).update(username).digest('hex').slice(0, 24)
}

/** The address from which this login's traffic comes out: another one for each login, all of them this machine (127.0.0.0/8). */
export function exitAddress(username: string): string {
  const [a = 0, b = 0, c = 0] = createHash('sha256').update(username).digest()
  return `127.${16 + (a % 200)}.${b}.${1 + (c % 254)}`
}

/** How many addresses of this machine the exit answers at, for suppliers whose proxies share a login and differ by address. */
const EXIT_HOSTS = 250

/** The address that a supplier's stand-in sells as its `index`th: one of the exit's own, again after 250. */
export function exitHost(index: number): string {
  return `127.0.1.${1 + (index % EXIT_HOSTS)}`
}

/** Starts the exit. `isSold` says whether the supplier's stand-in sold this login and it is still running. Port 0 takes any free one. */
export async function startExit(options: {
  port: number
  key: string
  isSold?: (username: string, password: string) => boolean
}): Promise<Exit> {
  const isAllowed = (username: string, password: string) =>
    (username.startsWith('stock-') && isSame(password, stockPassword(username, options.key))) ||
    (options.isSold?.(username, password) ?? false)
  const server = new Server({
    host: '127.0.0.1',
    port: options.port,
    authRealm: 'Sluice exit',
    prepareRequestFunction: ({ username, password, hostname, request }) => {
      if (!isAllowed(username, password))
        return { requestAuthentication: true, failMsg: 'This login was not sold here, or it has run out.' }
      // Only this machine's own addresses can be reached from one of them; for anything else the system chooses.
      const host = request.socket.localAddress ?? '127.0.0.1'
      const name = host === '127.0.0.1' ? username : `${username} ${host}`
      return isLoopback(hostname) ? { localAddress: exitAddress(name), ipFamily: 4 } : {}
    },
  })
  await server.listen()
  const doors = await Promise.all(
    Array.from({ length: EXIT_HOSTS }, (_, index) => openDoor(server, exitHost(index), server.port)),
  )
  return {
    port: server.port,
    close: async () => {
      for (const door of doors) door?.close()
      await server.close(true)
    },
  }
}

/** One more address for the exit; nothing where this machine does not have it (only Linux answers at all of 127.0.0.0/8). */
function openDoor(server: Server, host: string, port: number): Promise<TcpServer | undefined> {
  const door = createServer((socket) => server.server.emit('connection', socket))
  return new Promise((resolve) => {
    door.once('error', () => resolve(undefined))
    door.listen(port, host, () => resolve(door))
  })
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.startsWith('127.')
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
