import { defineConfig } from 'prisma/config'

// Prisma's command line reads the address here; the application itself connects through lib/db.
export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  datasource: {
    url: process.env.DATABASE_URL ?? 'postgresql://nobody@127.0.0.1:1/none',
    // Only the comparison of schema and migrations replays them, in an empty database beside the main one.
    shadowDatabaseUrl: process.env.SHADOW_DATABASE_URL,
  },
})
