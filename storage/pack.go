package storage

import (
	"bytes"
	"compress/flate"
	"io"
)

// In memory Badger takes no value above a megabyte, and a stored item may be
// larger: DynamoDB counts three bytes for 1E-130 in a list, which has 132
// digits. What is that much larger than its content is deflated, and marked in
// Badger's user meta byte.
const packedValue = 1

func pack(value []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(value); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(packed))
	value, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return value, r.Close()
}
