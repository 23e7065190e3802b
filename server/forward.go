package server

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"

	"github.com/stator-db/stator/partition"
)

// In a cluster one node changes tables. The others pass such requests on to it,
// as they came, and pass its answer back.

// changesTables reports whether an operation changes the catalog.
func (op *operation) changesTables() bool {
	switch op.name {
	case "CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "TagResource", "UntagResource":
		return true
	}
	return false
}

// forward has the catalog's leader serve the call. The request between nodes:
// target, access key, region, host and body, each with its length; the answer:
// the status and the body.
func (c *call) forward(target string) error {
	var request []byte
	for _, field := range []string{target, c.accessKey, c.region, c.host} {
		request = append(binary.AppendUvarint(request, uint64(len(field))), field...)
	}
	request = append(request, c.body...)
	response, err := c.s.db.Forward(c.ctx, request)
	if err != nil {
		return err
	}
	if len(response) < 2 {
		return errInternal
	}
	status := int(binary.BigEndian.Uint16(response))
	if status != http.StatusOK {
		return &apiError{Status: status, Type: modelPrefix + "Forwarded", Raw: string(response[2:])}
	}
	c.out = append(c.out, response[2:]...)
	return nil
}

var errMalformedForward = errors.New("malformed request of another node")

// serveForwarded serves a request that another node passed on.
func (s *Server) serveForwarded(ctx context.Context, request []byte) ([]byte, error) {
	var fields [4]string
	for i := range fields {
		n, w := binary.Uvarint(request)
		if w <= 0 || n > uint64(len(request)-w) {
			return nil, errMalformedForward
		}
		fields[i] = string(request[w : w+int(n)])
		request = request[w+int(n):]
	}
	c := newCall(ctx, s)
	defer c.release()
	c.op = targets[fields[0]]
	if c.op == nil || c.op.serve == nil {
		return nil, errMalformedForward
	}
	c.accessKey, c.region, c.host = fields[1], fields[2], fields[3]
	if !s.options.SharedDB {
		c.ns = partition.Namespace{Account: c.accessKey, Region: c.region}
	}
	c.body = append(c.body, request...)
	status := http.StatusOK
	if err := c.run(); err != nil {
		e := c.toAPIError(err)
		status, c.out = e.status(), e.appendJSON(c.out[:0])
	}
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, len(c.out)+2), uint16(status)), c.out...), nil
}
