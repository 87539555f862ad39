package upstream

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCheckStatus_tellsTheCodeOfARefusal(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":"rest_forbidden","message":"Sorry.","data":{"status":401}}`: "rest_forbidden",
		`{"code":1020}`:                   "",
		`{"error":"no"}`:                  "",
		`[]`:                              "",
		`<html>Attention required</html>`: "",
		``:                                "",
		`{"code":"rest_x","more":"` + strings.Repeat("x", maxRefusal) + `"}`: "",
	} {
		for status, want := range map[int]string{401: want, 403: want, 404: "", 500: ""} {
			err := CheckStatus(&http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))})
			var said *StatusError
			if !errors.As(err, &said) || said.Code != want {
				t.Errorf("%d with %.50s: %+v, want the code %q", status, body, said, want)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		header string
		want   time.Duration
	}{
		{"", 0}, {"5", 5 * time.Second}, {"99999999", 5 * time.Minute}, {"-5", 0}, {"soon", 0},
		{"99999999999999999999999", 0},
		{now.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second},
		{now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{now.Add(time.Hour).Format(http.TimeFormat), 5 * time.Minute},
	} {
		if got := retryAfter(tc.header, now); got != tc.want {
			t.Errorf("retryAfter(%q) = %v, want %v", tc.header, got, tc.want)
		}
	}
}
