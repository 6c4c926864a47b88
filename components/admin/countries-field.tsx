import { getTranslations } from 'next-intl/server'
import { TextField } from '@/components/ui/field'

/** Countries as staff type them: two letters each, any number, none for all. Read by `readCountryCodes`. */
export async function CountriesField({ chosen }: { chosen: readonly string[] | undefined }) {
  const say = await getTranslations('admin')
  return (
    <TextField
      name="countries"
      label={say('countries')}
      help={say('countriesHelp')}
      defaultValue={chosen?.join(', ')}
      autoComplete="off"
    />
  )
}
