/**
 * A text with its `{name}` places filled in. For islands, which get their texts as they stand in the message files and know the values only in the
 * browser; such texts hold no plural forms.
 */
export function fillText(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place)
}
