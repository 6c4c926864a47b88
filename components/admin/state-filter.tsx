import { Button } from '@/components/ui/button'
import { Label, Select } from '@/components/ui/input'

/** A filter by state as a plain form: its choice stands in the address, so that Back works and links can be shared. */
export function StateFilter({
  path,
  label,
  any,
  button,
  states,
  chosen,
}: {
  path: string
  label: string
  any: string
  button: string
  states: { value: string; text: string }[]
  chosen: string | undefined
}) {
  return (
    <form action={path} className="mb-4 flex flex-wrap items-end gap-3">
      <div className="flex flex-col gap-1.5">
        <Label htmlFor="state">{label}</Label>
        <Select id="state" name="state" defaultValue={chosen ?? ''} className="w-auto min-w-48">
          <option value="">{any}</option>
          {states.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </Select>
      </div>
      <Button type="submit" variant="secondary">
        {button}
      </Button>
    </form>
  )
}
