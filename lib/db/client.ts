import { PrismaPg } from '@prisma/adapter-pg'
import { env } from '@/lib/env'
import { PrismaClient } from './generated/client'

/** The whole client. Commands open their own transaction on it through `inTransaction`. */
export type Database = PrismaClient
/** A transaction somebody else opened. Its type cannot open another. */
export type Tx = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

const holder = globalThis as { sluiceDatabase?: Database }

/** The client of this process; one pool, made on first use (and kept across hot reloads of the development server). */
export function db(): Database {
  holder.sluiceDatabase ??= createDatabase(env().DATABASE_URL, env().DATABASE_POOL)
  return holder.sluiceDatabase
}

/**
 * A client of its own, for tests and scripts. Statements are prepared under a name per text: the texts come from code, so the
 * map is bounded by the code; a text beyond the bound is sent unnamed (names are never freed on the server).
 */
export function createDatabase(connectionString: string, max: number): Database {
  const names = new Map<string, string>()
  const nameOf = ({ sql }: { sql: string }): string | undefined => {
    let name = names.get(sql)
    if (name === undefined && names.size < 500) names.set(sql, (name = `s${names.size}`))
    return name
  }
  const adapter = new PrismaPg(
    // The adapter reads times as UTC, whatever offset they come with: a server that keeps another clock would shift every one of them.
    { connectionString, max, idleTimeoutMillis: 30_000, options: '-c TimeZone=UTC' },
    { statementNameGenerator: nameOf as never },
  )
  return new PrismaClient({ adapter })
}
