package webhook

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"rebake/worker"
)

// wpTexts is a list of texts as PHP writes them: an array with holes becomes an
// object, and what is not there becomes false.
type wpTexts []string

// UnmarshalJSON takes every text in a list or an object, and nothing else.
func (t *wpTexts) UnmarshalJSON(b []byte) error {
	var list []any
	var fields map[string]any
	switch {
	case json.Unmarshal(b, &list) == nil:
	case json.Unmarshal(b, &fields) == nil:
		for _, v := range fields {
			list = append(list, v)
		}
	}
	*t = nil
	for _, v := range list {
		if s, ok := v.(string); ok && s != "" {
			*t = append(*t, s)
		}
	}
	if fields != nil {
		slices.Sort(*t)
	}
	return nil
}

// wpNumber is a number that PHP may have written as text; 0 when it is none.
type wpNumber int64

// UnmarshalJSON never fails.
func (n *wpNumber) UnmarshalJSON(b []byte) error {
	i, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err != nil {
		i = 0
	}
	*n = wpNumber(i)
	return nil
}

// newest keeps the last version that the request has told of an item.
func newest(items []worker.Item) []worker.Item {
	var list []worker.Item
	at := make(map[string]int, len(items))
	for _, item := range items {
		i, seen := at[item.Tag]
		switch {
		case !seen:
			at[item.Tag] = len(list)
			list = append(list, item)
		case item.Version != "":
			list[i].Version = item.Version
		}
	}
	return list
}
