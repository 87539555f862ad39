package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rebake/renderer/upstream"
	"rebake/storage"
)

func graphQLBody(r Request) ([]byte, error) {
	body, err := json.Marshal(struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables,omitempty"`
	}{r.Query, r.Variables})
	if err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	return body, nil
}

// openGraphQL takes the data out of a GraphQL answer, and the errors that
// stand beside it. An answer without data is a failure, whatever its status;
// it may pass, as a page of an API that is being deployed does.
func openGraphQL(v any) (data any, faults string, err error) {
	answer, _ := v.(map[string]any)
	faults = faultText(answer["errors"])
	data = answer["data"]
	switch {
	case data != nil:
		return data, faults, nil
	case faults != "":
		return nil, "", storage.Temporary(fmt.Errorf("the API says: %s", faults))
	}
	return nil, "", storage.Temporary(errors.New("the answer has no data; does url lead to a GraphQL API?"))
}

// faultText shows the first messages of a list of GraphQL errors in one line.
func faultText(v any) string {
	const most, longest = 3, 200
	list, _ := v.([]any)
	var texts []string
	for _, item := range list {
		fault, _ := item.(map[string]any)
		text, _ := fault["message"].(string)
		if text = strings.Join(strings.Fields(text), " "); text == "" {
			text = "an error without a message"
		}
		if len(text) > longest {
			text = strings.ToValidUTF8(text[:longest], "") + "…"
		}
		if len(texts) == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// endpoint is what a status means for a request whose URL names no item: not
// found is the API then, and no page may go because of that.
func endpoint(err error) error {
	if errors.Is(err, storage.ErrGone) {
		var status *upstream.StatusError
		errors.As(err, &status)
		return storage.Temporary(fmt.Errorf("%w; does url lead to the GraphQL API?", status))
	}
	return err
}
