import { randomBytes } from 'node:crypto'
import { type Fake, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { type Login, newLogin, talkNonsense, wishRoute } from './supply'

/**
 * A stand-in for IPRoyal's residential API under /v1: one parent account whose traffic is given to sub-users, in gigabytes as numbers, and returns
 * when one is deleted. Sub-users are logins at the local exit; a place may stand behind the password (`pass_country-de`).
 * Control, beside fakes/kit.ts and fakes/supply.ts (nonsense):
 *
 *   POST /control/traffic  {"bytes":"5000000000"}                    what the parent can still give
 *   POST /control/use      {"username":"…","bytes":"1000"}           a sub-user uses some of its traffic
 *   POST /control/page     {"size":2}                                sub-users on one page of the list
 *   POST /control/forget                                             no sub-users any more
 *   GET  /control/subusers                                           every sub-user that is there
 */
type SubUser = Login & { hash: string; available: string; used: string }
type State = { available: string; pageSize: number; users: SubUser[] }

export type IproyalResidentialFake = Fake & { isSold: (username: string, password: string) => boolean }

class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Starts the supplier on loopback. A fresh one has 500 GB to give. */
export async function startIproyalResidentialFake(options: {
  port: number
  stateFile?: string
  apiKey: string
}): Promise<IproyalResidentialFake> {
  const state = new FakeState<State>({ available: '500000000000', pageSize: 15, users: [] }, options.stateFile)
  const { value } = state

  /** Moves traffic from the parent to a sub-user, or back. */
  function move(user: SubUser, bytes: bigint): void {
    const [parent, own] = [BigInt(value.available) - bytes, BigInt(user.available) + bytes]
    if (parent < 0n || own < 0n) throw new Refused(422, 'The amount is not available.')
    value.available = String(parent)
    user.available = String(own)
  }

  function userOf(hash: string | undefined): SubUser {
    const user = value.users.find((each) => each.hash === hash)
    if (!user) throw new Refused(404, 'Not found.')
    return user
  }

  const api = (
    method: string,
    path: string,
    handle: (request: FakeRequest & { json: Record<string, unknown> }) => unknown,
  ): Route => ({
    method,
    path: new RegExp(`^/v1${path}$`),
    handle: (request) => {
      try {
        if (request.headers.authorization !== `Bearer ${options.apiKey}`) throw new Refused(401, 'Unauthenticated.')
        const json = (request.body === '' ? {} : JSON.parse(request.body)) as Record<string, unknown>
        const body = handle({ ...request, json })
        return body === undefined ? { status: 204, body: '' } : { body }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return { status: error.status, body: { message: error.message } }
      }
    },
  })

  const one = '/residential-subusers/(?<hash>[0-9a-f]+)'
  const routes: Route[] = [
    api('GET', '/me', () => ({
      available_traffic: gigabytes(value.available),
      subusers_count: value.users.length,
      residential_user_hash: 'ae01',
    })),
    api('GET', '/residential-subusers', ({ url }) => {
      const page = Number(url.searchParams.get('page') ?? 1)
      return {
        data: value.users.slice((page - 1) * value.pageSize, page * value.pageSize).map(shown),
        meta: {
          current_page: page,
          last_page: Math.max(1, Math.ceil(value.users.length / value.pageSize)),
          total: value.users.length,
        },
      }
    }),
    api('POST', '/residential-subusers', ({ json }) => {
      const username = String(json.username ?? '')
      if (!/^[A-Za-z0-9]{3,}$/.test(username)) throw new Refused(422, 'The username format is invalid.')
      if (value.users.some((user) => user.user === username))
        throw new Refused(422, 'The username has already been taken.')
      const user: SubUser = {
        hash: randomBytes(12).toString('hex'),
        user: username,
        pass: typeof json.password === 'string' ? json.password : newLogin().pass,
        available: '0',
        used: '0',
      }
      move(user, bytesOf(json.traffic))
      value.users.push(user)
      return shown(user)
    }),
    api('GET', one, ({ params }) => shown(userOf(params.hash))),
    api('DELETE', one, ({ params }) => {
      const user = userOf(params.hash)
      move(user, -BigInt(user.available))
      value.users = value.users.filter((each) => each !== user)
    }),
    api('POST', `${one}/give-traffic`, ({ params, json }) => {
      move(userOf(params.hash), bytesOf(json.amount))
      return { message: 'Traffic given.' }
    }),
    api('POST', `${one}/take-traffic`, ({ params, json }) => {
      move(userOf(params.hash), -bytesOf(json.amount))
      return { message: 'Traffic taken.' }
    }),
  ]

  const fake = await startFake({
    port: options.port,
    routes: [
      ...talkNonsense(state, routes),
      wishRoute<{ bytes: string }>(state, 'traffic', ({ bytes }) => (value.available = bytes)),
      wishRoute<{ username: string; bytes: string }>(state, 'use', ({ username, bytes }) => {
        const user = value.users.find((each) => each.user === username)!
        user.available = String(BigInt(user.available) - BigInt(bytes))
        user.used = String(BigInt(user.used) + BigInt(bytes))
      }),
      wishRoute<{ size: number }>(state, 'page', ({ size }) => (value.pageSize = size)),
      wishRoute(state, 'forget', () => (value.users = [])),
      { method: 'GET', path: /^\/control\/subusers$/, handle: () => ({ body: value.users }) },
    ],
  })
  return {
    ...fake,
    isSold: (username, password) =>
      value.users.some(
        (user) => user.user === username && user.pass === password.split('_')[0] && BigInt(user.available) > 0n,
      ),
  }
}

function shown(user: SubUser) {
  return {
    hash: user.hash,
    username: user.user,
    password: user.pass,
    traffic_available: gigabytes(user.available),
    traffic_used: gigabytes(user.used),
  }
}

function gigabytes(bytes: string): number {
  return Number(bytes) / 1e9
}

function bytesOf(gigabytesGiven: unknown): bigint {
  if (typeof gigabytesGiven !== 'number' || !(gigabytesGiven > 0)) throw new Refused(422, 'The amount is invalid.')
  return BigInt(Math.round(gigabytesGiven * 1e9))
}
