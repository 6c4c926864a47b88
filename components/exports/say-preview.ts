import { translator } from '@/i18n/translator'
import { type ExportFilter, previewExport, sampleOf, type Writer } from '@/lib/exports'

/** The first lines of an export, and what there is to say about them, in the person's language. */
export async function sayPreview(
  input: { userId: string; filter: ExportFilter; writer: Writer; showsPasswords: boolean },
  locale: string,
): Promise<{ text: string; note: string }> {
  const say = translator(locale, 'exports')
  const { text, count, shown, unclear } = await previewExport(input)
  if (count === 0) return { text: sampleOf(input.writer), note: say('previewSample') }
  const notes = [say('previewNote', { shown, count }), ...(unclear > 0 ? [say('unclear', { count: unclear })] : [])]
  return { text, note: notes.join('\n') }
}
