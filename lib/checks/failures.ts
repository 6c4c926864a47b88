/**
 * Why a proxy did not pass its check. `refused`: nobody listens at its address; `unreachable`: the address itself cannot be reached; `private_address`: it is one that
 * customers cannot reach, and that production does not knock at; `auth`: the login is not taken; `no_way_out`: the proxy answers, but does not lead
 * outside; `closed`: it hangs up in the middle; `bad_answer`: what came back is not what our page says; `timeout`: all of it took too long.
 */
export const CHECK_FAILURES = [
  'refused',
  'unreachable',
  'private_address',
  'auth',
  'no_way_out',
  'closed',
  'bad_answer',
  'timeout',
] as const

export type CheckFailure = (typeof CHECK_FAILURES)[number]
