export { createDatabase, db, type Database, type Tx } from './client'
export { inTransaction } from './in-transaction'
export { Prisma } from './generated/client'
