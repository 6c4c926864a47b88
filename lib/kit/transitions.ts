import { invariant } from './errors'

/** A lifecycle as data: from each state, the states it may move to. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>

/** Whether the table allows the move. Staying where one is, is not a move. */
export function canMove<State extends string>(table: Transitions<State>, from: State, to: State): boolean {
  return table[from].includes(to)
}

/**
 * Checks a table once at load: every target is a state, and every state can be reached from the first one.
 * Throws InvariantError otherwise, so that a typing mistake cannot make a state that nothing ever enters.
 */
export function defineTransitions<State extends string>(start: State, table: Transitions<State>): Transitions<State> {
  const reached = new Set<State>([start])
  for (const state of reached) for (const next of table[state]) reached.add(next)
  for (const state of Object.keys(table) as State[])
    invariant(reached.has(state), `state ${state} can be reached from ${start}`)
  for (const state of reached) invariant(state in table, `state ${state} has a row in its table`)
  return table
}
