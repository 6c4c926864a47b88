export { createDatabase, db, type Database, type Tx } from './client'
export { inTransaction } from './in-transaction'
export { keepCopy } from './keep-copy'
export { Prisma } from './generated/client'
