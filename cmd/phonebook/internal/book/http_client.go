package book

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// HTTPClient returns a client for the SDK that gives every request a body of its own.
//
// The SDK closes a request's body as soon as the answer's headers are there. On a fast
// network that can be before net/http has looked whether the body has ended; it then
// finds a closed one, takes the connection for broken and closes it while the answer is
// being read. The SDK tries again, after a pause of up to a second. A table in the same
// process is that fast, and one request in a thousand was that slow. A body in memory
// that nobody closes avoids it; requests to DynamoDB are small.
func HTTPClient(next aws.HTTPClient) aws.HTTPClient { return ownBodies{next} }

type ownBodies struct {
	next aws.HTTPClient
}

// Do sends a request with a copy of its body.
func (c ownBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return c.next.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	own.ContentLength = int64(len(body))
	return c.next.Do(own)
}
