import { runPrisma } from './migrate'

// Prisma asks for its native engine even to generate, which needs none; runPrisma names ours.
const { code, output } = await runPrisma(['generate'])
if (code !== 0) console.error(output.trim())
process.exitCode = code
