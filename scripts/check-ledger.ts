import { checkBooks } from '@/lib/admin'

// Proves the books of the database that DATABASE_URL names: exit 0 and one closing line, or 1 and what is off.
const report = await checkBooks()
for (const finding of report.findings) {
  console.log(`✗ ${finding.rule}: ${finding.count}, for example ${finding.examples.join(', ')}`)
}
console.log(
  report.findings.length === 0
    ? `ledger: ${report.rules} rules hold over ${report.transfers} transfers`
    : `ledger: ${report.findings.length} of ${report.rules} rules are broken`,
)
process.exit(report.findings.length === 0 ? 0 : 1)
