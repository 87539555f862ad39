import { read } from '../../../lib/source'

// The same for everybody, but Next says that it is private: it keeps no copy.
export const dynamic = 'force-dynamic'

export default async function Prices() {
  const prices = await read('prices')
  return <h1>{prices.title}</h1>
}
