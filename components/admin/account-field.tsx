import { getTranslations } from 'next-intl/server'
import { CheckboxField, TextField } from '@/components/ui/field'
import type { AccountFieldView } from '@/lib/settings'

/** One thing that an account of ours elsewhere has to be told. Of a stored secret nothing is in the page but how it ends. */
export async function AccountField({
  field,
  words,
}: {
  field: AccountFieldView
  words: 'adminSettings' | 'adminSuppliers'
}) {
  const say = await getTranslations(words)
  const { inputName } = field
  const label = say(`field_${field.name as 'apiKey'}`)
  const about = `help_${field.name}` as 'field_apiKey'
  const help = say.has(about) ? say(about) : null
  if (field.kind === 'yes_no')
    return (
      <>
        {/* An unticked box sends nothing, and nothing would keep what was. */}
        <input type="hidden" name={inputName} value="no" />
        <CheckboxField name={inputName} value="yes" label={label} help={help} defaultChecked={field.value === 'yes'} />
      </>
    )
  if (!field.isSecret)
    return (
      <TextField
        name={inputName}
        label={label}
        help={help}
        defaultValue={field.value}
        inputMode={field.kind === 'url' ? 'url' : undefined}
        autoComplete="off"
        spellCheck={false}
        className="font-mono"
      />
    )
  const kept = field.isUnreadable
    ? say('secretUnreadable')
    : !field.isStored
      ? `${say('secretNone')}${field.isRequired ? '' : ` ${say('optional')}`}`
      : field.hint
        ? say('secretKept', { hint: `…${field.hint}` })
        : say('secretKeptBlind')
  return (
    <TextField
      name={inputName}
      type="password"
      label={label}
      help={kept}
      autoComplete="new-password"
      spellCheck={false}
      className="font-mono"
    />
  )
}
