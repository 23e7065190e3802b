package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/smithy-go"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/card"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// problem is the error member of an answer.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"` // of the contact
}

type failure struct {
	Error   problem          `json:"error"`
	Current *contact.Contact `json:"current,omitempty"` // of a conflict
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

func writeError(w http.ResponseWriter, status int, p problem) {
	writeJSON(w, status, failure{Error: p})
}

// badRequest is an error whose text is for the caller.
type badRequest string

func (e badRequest) Error() string { return string(e) }

// busy are the codes of a table that has too much to do.
var busy = map[string]bool{
	"ProvisionedThroughputExceededException": true, "ThrottlingException": true,
	"RequestLimitExceeded": true, "TransactionCanceledException": true, "TransactionInProgressException": true,
}

// fail answers with an error: the only place that turns errors into status codes.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var conflict *book.ConflictError
	var field *contact.FieldError
	var bad badRequest
	var api smithy.APIError
	switch {
	case errors.As(err, &conflict):
		writeJSON(w, http.StatusConflict, failure{
			Error:   problem{Code: "conflict", Message: "Somebody else has changed this contact."},
			Current: &conflict.Current,
		})
	case errors.As(err, &field):
		writeError(w, http.StatusBadRequest, problem{Code: "invalid", Message: field.Message, Field: field.Field})
	case errors.As(err, &bad), errors.Is(err, book.ErrCursor), errors.Is(err, card.ErrFormat):
		writeError(w, http.StatusBadRequest, problem{Code: "invalid", Message: err.Error()})
	case errors.Is(err, book.ErrNotFound), errors.Is(err, book.ErrNoImport):
		writeError(w, http.StatusNotFound, problem{Code: "not_found", Message: err.Error()})
	case errors.Is(err, book.ErrImportExists):
		writeError(w, http.StatusConflict, problem{Code: "exists", Message: err.Error()})
	case r.Context().Err() != nil && errors.Is(err, context.Canceled):
		// Nobody waits for the answer.
	case errors.As(err, &api) && busy[api.ErrorCode()]:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, problem{Code: "busy", Message: "The table is too busy. Try again in a moment."})
	default:
		s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		writeError(w, http.StatusBadGateway, problem{Code: "store", Message: "The table does not answer as it should. The log says why."})
	}
}

// Limits of a JSON body.
const (
	maxBody     = 128 << 10
	bodyTimeout = 30 * time.Second
)

// readJSON reads the body into value.
func readJSON(w http.ResponseWriter, r *http.Request, value any) error {
	// A connection without deadlines (in tests) has no use for one.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return badRequest(fmt.Sprintf("the body is not as expected: %v", err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("there is something after the JSON object")
	}
	return nil
}
