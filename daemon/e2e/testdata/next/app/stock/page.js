import { read } from '../../lib/source'

// Next keeps the answer for an hour, or until somebody names its tag.
export default async function Stock() {
  const stock = await read('stock', { next: { tags: ['stock'], revalidate: 3600 } })
  return <h1>{stock.title}</h1>
}
