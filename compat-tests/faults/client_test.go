//go:build linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// object is a JSON object of the API.
type object = map[string]any

// outcome is what a client can know of an operation that did not succeed.
type outcome int

const (
	done     outcome = iota
	refused          // by the API: a condition, a conflict
	undone           // certainly without effect
	unknown          // perhaps with effect, now or later
	outcomes         // their number
)

// requestTimeout is how long a client waits for an answer.
const requestTimeout = 8 * time.Second

// client sends single requests, without retries, to the nodes it is told.
type client struct {
	http http.Client
}

func newClient() *client {
	return &client{http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 64,
			DisableCompression:  true,
		},
	}}
}

// apiError is an answer that tells of an error.
type apiError struct {
	status  int
	Type    string                  `json:"__type"`
	Message string                  `json:"message"`
	Reasons []struct{ Code string } `json:"CancellationReasons"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.Type, e.Message) }

// call sends one request to a node. What is known of its effect is told by outcomeOf.
func (c *client) call(ctx context.Context, node int, operation string, input object, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpointOf(node), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=faults/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	request.Header.Set("X-Amz-Date", "20260101T000000Z")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		e := &apiError{status: response.StatusCode}
		if err := json.NewDecoder(response.Body).Decode(e); err != nil {
			return err
		}
		return e
	}
	return json.NewDecoder(response.Body).Decode(output)
}

// outcomeOf tells what is known of the effect of a call that returned err.
func outcomeOf(err error) outcome {
	var (
		api *apiError
		op  *net.OpError
	)
	switch {
	case err == nil:
		return done
	case errors.As(err, &api):
		switch api.status {
		case http.StatusBadRequest:
			return refused
		case http.StatusServiceUnavailable:
			return undone
		}
		return unknown
	case errors.As(err, &op) && op.Op == "dial":
		return undone // nothing was sent
	}
	return unknown
}

// labelOf is a short name for an error, for the table.
func labelOf(err error) string {
	var (
		api *apiError
		op  *net.OpError
	)
	switch {
	case errors.As(err, &api):
		return fmt.Sprint(api.status)
	case errors.As(err, &op) && op.Op == "dial":
		return "not reached"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	}
	return "broken"
}

// refusal is the exception, or the first reason of a canceled transaction.
func refusal(err error) string {
	var api *apiError
	if !errors.As(err, &api) {
		return ""
	}
	for _, r := range api.Reasons {
		if r.Code != "" && r.Code != "None" {
			return r.Code
		}
	}
	_, name, _ := strings.Cut(api.Type, "#")
	return strings.TrimSuffix(name, "Exception")
}

// Attribute values.

func text(s string) object { return object{"S": s} }
func number(n int) object  { return object{"N": fmt.Sprint(n)} }

// attributes are the strings and numbers of an item.
type attributes map[string]struct{ S, N string }

func (a attributes) int(name string) int {
	var n int
	_, _ = fmt.Sscan(a[name].N, &n) // an absent item has 0
	return n
}
