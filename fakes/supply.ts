import { randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '../lib/kit'
import type { FakeState, Route } from './kit'

/** A login at the local exit that a supplier's stand-in sold. */
export type Login = { user: string; pass: string }

export function newLogin(): Login {
  return { user: randomBytes(4).toString('hex'), pass: randomBytes(6).toString('hex') }
}

/** Money as vendors write it who write numbers. */
export function jsonAmount(micros: bigint): number {
  return Number(amountText(micros))
}

/** "POST /control/<path>" that obeys a wish and keeps the state. */
export function wishRoute<Wish>(state: FakeState<object>, path: string, obey: (wish: Wish) => void): Route {
  return {
    method: 'POST',
    path: new RegExp(`^/control/${path}$`),
    handle: ({ body }) => {
      obey(JSON.parse(body || '{}') as Wish)
      state.save()
      return { body: { ok: true } }
    },
  }
}

/** POST /control/balance {"amount":"0.50"}: the reseller's own money there. */
export function balanceRoute(state: FakeState<{ balance: string }>): Route {
  return wishRoute<{ amount: string }>(state, 'balance', ({ amount }) => {
    state.value.balance = amountText(parseAmount(amount) ?? 0n)
  })
}

/**
 * POST /control/nonsense {"match":"orders","method":"POST","times":1}: do it, and answer something that is not JSON. Wraps the routes that
 * it may happen to.
 */
export function talkNonsense(state: FakeState<object>, routes: Route[]): Route[] {
  const wish = { match: '', method: '', times: 0 }
  return [
    wishRoute<Partial<typeof wish>>(state, 'nonsense', ({ match = '', method = '', times = 1 }) =>
      Object.assign(wish, { match, method, times }),
    ),
    ...routes.map((route) => ({
      ...route,
      handle: async (request: Parameters<Route['handle']>[0]) => {
        const reply = await route.handle(request)
        state.save()
        const isMeant = request.url.pathname.includes(wish.match) && [request.method, ''].includes(wish.method)
        if (wish.times === 0 || !isMeant) return reply
        wish.times -= 1
        return { body: '<html><body>It works!</body></html>' }
      },
    })),
  ]
}
