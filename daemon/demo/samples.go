package demo

import "time"

func sampleCategories() []Category {
	return []Category{
		{ID: 1, Slug: "breads", Name: "Breads", Description: "The loaves themselves, and how they came to be."},
		{ID: 2, Slug: "flour-and-water", Name: "Flour & Water", Description: "What goes into the dough, and why it matters."},
		{ID: 3, Slug: "bakehouse", Name: "Bakehouse", Description: "Early mornings, old ovens and the people around them."},
	}
}

func samplePosts() []Post {
	post := func(date, slug, title string, category int, text string) Post {
		when, _ := time.Parse(wpTime, date) // literals below; a test reads them all
		return Post{
			Slug: slug, Title: title, Content: paragraphsHTML(text), Categories: []int{category},
			Date: when, Modified: when,
		}
	}
	return []Post{
		post("2026-01-19T05:10:00", "first-loaf-of-the-year", "The first loaf of the year", 3,
			`We close for two weeks after New Year, and the oven goes cold. Bringing it back takes three days: a small fire first, then a larger one, then a night of rest so that the bricks warm through to their backs.

The first loaf out is never for sale. Its crust is pale, its base a little burnt, and it tells us everything we need to know about the heat. We eat it standing up, with too much butter.

By the second batch the oven has remembered what it is. So have we.`),
		post("2026-04-11T06:30:00", "a-starter-is-a-habit", "A starter is a habit", 2,
			`People ask how old our starter is, as if age were the secret. Ours is eleven. What keeps it alive is simpler than its history: somebody feeds it at six in the morning and again at four.

Equal weights of flour and water, a spoonful of yesterday’s jar, a warm shelf. It should double in five hours and smell of yoghurt and green apples. If it smells of paint, it is hungry; feed it more often, not more.

Miss a day and it forgives you. Miss a week and you will be apologising for three.`),
		post("2026-05-23T05:45:00", "rye-that-keeps", "Rye that keeps for a week", 1,
			`Our dark rye is at its worst on the day it is baked. The crumb is sticky, the flavour loud. Wrapped in linen and left alone for a day, it settles into something you can slice as thin as a coin.

The dough has no gluten to speak of, so there is nothing to knead. It is stirred, scraped into its tin and smoothed with a wet hand. When the flour on top breaks into islands, it is ready for the oven.

On the sixth day we toast it. On the seventh there has never been any left.`),
		post("2026-06-19T07:00:00", "salt-goes-in-late", "Salt goes in late", 2,
			`Mix flour and water, cover the bowl, and walk away for forty minutes. That rest does more for a dough than ten minutes of work: the flour drinks, the strands find each other, and the shaggy mess turns silky by itself.

Salt tightens everything, so it waits. We sprinkle it over with the last splash of water and fold until the dough stops feeling gritty. You will know, because it begins to pull back.`),
		post("2026-08-07T05:20:00", "butter-and-brioche", "Butter & brioche", 1,
			`There is no light brioche. There is only brioche with enough butter and brioche with regrets. We use half the weight of the flour, soft but cool, added one walnut-sized piece at a time.

The dough will look ruined at the third piece and again at the seventh. Keep going. When it slaps the side of the bowl and comes away clean, it is done, and it goes straight into the cold for the night.

Bake it while it still wobbles. The smell reaches the bus stop, and the queue is usually our doing.`),
		post("2026-09-14T04:55:00", "the-oven-at-four", "The oven at four in the morning", 3,
			`At four the street belongs to foxes and to us. The oven door opens with a sound like a ship, and the light falls across the tables where the loaves are waiting in their baskets.

Nobody talks much before the first load is in. Lina scores, Tomas loads, I count under my breath. Forty loaves, ninety seconds, then the door shuts and someone puts the kettle on.`),
		post("2026-10-05T06:15:00", "seeds-soaked-overnight", "Seeds, soaked overnight", 2,
			`Dry seeds are thieves. Put them into a dough as they are and they drink the water that you measured so carefully, and the loaf comes out tight and dull.

So we soak them the evening before: sunflower, flax, a few pumpkin seeds for colour, and a pinch of salt to keep them quiet. In the morning they are plump and slippery, and they give water back to the crumb for days.`),
		post("2026-11-16T05:30:00", "our-everyday-loaf", "Our everyday loaf", 1,
			`Every bakery has a bread that nobody photographs. Ours is a plain wheat loaf with a tenth of wholegrain, raised slowly with the starter and baked a shade darker than people expect.

It takes twenty-two hours from bowl to shelf, and most of that is waiting. The long cool night does the work: the acids gather, the sugars come free, and in the morning the crust blisters like it should.

It makes good toast, better sandwiches, and on the third day the best soup in town. If you buy one thing from us, buy this.`),
	}
}
