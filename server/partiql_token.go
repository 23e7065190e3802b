package server

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// A NextToken is, in base64, a version, a hash of the statement with its
// parameters, and the position after which the next page begins as the
// LastEvaluatedKey it is.

const nextTokenVersion = 1

// statementHash is what binds a NextToken to its request.
type statementHash [16]byte

func hashStatement(in *api.ExecuteStatementInput) statementHash {
	f := newFingerprint()
	f.text(in.Statement.Value)
	for _, p := range in.Parameters {
		f.bytes(p.Value)
	}
	sum := f.sum()
	return statementHash(sum[:len(statementHash{})])
}

// appendNextToken appends the token for a position, in base64.
func appendNextToken(dst []byte, h statementHash, position []byte) []byte {
	token := append([]byte{nextTokenVersion}, h[:]...)
	return base64.StdEncoding.AppendEncode(dst, append(token, position...))
}

// nextPosition reads the NextToken of a request.
func nextPosition(token string, h statementHash) (item.Item, error) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) <= 1+len(h) || raw[0] != nextTokenVersion {
		return nil, badNextToken()
	}
	position, fault, err := item.DecodeItem(jsontext.NewDecoder(bytes.NewReader(raw[1+len(h):])))
	if fault != nil || err != nil {
		return nil, badNextToken()
	}
	if !bytes.Equal(raw[1:1+len(h)], h[:]) {
		return nil, validationText("NextToken does not match request")
	}
	return position, nil
}

func badNextToken() *apiError { return validationText("Invalid NextToken") }

// checkPosition refuses a position that the table or index cannot have: the token
// was tampered with, or the table is not the one it was given out for.
func checkPosition(t *partition.Table, ix *partition.Index, position item.Item) error {
	if !hasStartKeyNames(t, ix, position) || !hasKeyTypes(t.Key, position) || ix != nil && !hasKeyTypes(ix.Key, position) {
		return badNextToken()
	}
	if checkStartKeyValues(t, ix, position) != nil {
		return badNextToken()
	}
	return nil
}
