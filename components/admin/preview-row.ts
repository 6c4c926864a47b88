import type { PreviewLine } from '@/lib/provisioning'

/** One line of a stock preview as it travels to the browser: what was understood, without the password, or what is wrong with it. */
export type PreviewRow = {
  lineNumber: number
  understoodAs: string | null
  problem: NonNullable<PreviewLine['problem']> | null
  text: string
}
