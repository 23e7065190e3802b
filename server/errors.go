package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Namespaces of error types on the wire.
const (
	coralPrefix    = "com.amazon.coral.service#"
	validatePrefix = "com.amazon.coral.validate#"
	modelPrefix    = "com.amazonaws.dynamodb.v20120810#"
)

// An apiError is an error answer of the API.
type apiError struct {
	Status     int    // HTTP status; 0 means 400
	Type       string // __type, with its namespace
	Message    string
	MessageKey string // "message" if empty; some exceptions spell it "Message"
	NoMessage  bool   // the body has only __type
	Raw        string // the whole body, if another node has written it; then only Status counts beside it
	Extra      string // further JSON members as they go on the wire: `,"Item":{...}`
}

// Error names the exception and its message.
func (e *apiError) Error() string {
	return e.Type + ": " + e.Message
}

// name is the exception's without its namespace.
func (e *apiError) name() string {
	_, name, _ := strings.Cut(e.Type, "#")
	return name
}

func (e *apiError) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

func (e *apiError) appendJSON(dst []byte) []byte {
	if e.Raw != "" {
		return append(dst, e.Raw...)
	}
	dst = append(dst, `{"__type":"`...)
	dst = append(dst, e.Type...)
	dst = append(dst, '"')
	if !e.NoMessage {
		key := e.MessageKey
		if key == "" {
			key = "message"
		}
		dst = append(dst, `,"`...)
		dst = append(dst, key...)
		dst = append(dst, `":`...)
		dst = appendString(dst, e.Message)
	}
	dst = append(dst, e.Extra...)
	return append(dst, '}')
}

// appendString appends s as a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString[T []byte | string](dst []byte, s T) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // its only error is invalid UTF-8, which it replaces
	return dst
}

// Prefixes that many messages share.
const (
	invalidParameter = "One or more parameter values were invalid: "
	oneViolation     = "1 validation error detected: "
	stillInUse       = "Attempt to change a resource which is still in use: "
	subscriberLimit  = "Subscriber limit exceeded: "
)

// validation is a ValidationException.
func validation(format string, args ...any) *apiError {
	return validationText(fmt.Sprintf(format, args...))
}

// validationText is a ValidationException whose message is ready, per cent signs and all.
func validationText(message string) *apiError {
	return &apiError{Type: validatePrefix + "ValidationException", Message: message}
}

// invalid is a ValidationException that opens with "One or more parameter values were invalid: ".
func invalid(format string, args ...any) *apiError {
	return validationText(invalidParameter + fmt.Sprintf(format, args...))
}

// enveloped puts text behind "1 validation error detected: ", as PutItem, UpdateItem
// and DeleteItem do for faults that they find in values and expressions.
func enveloped(text string) string {
	return oneViolation + text
}

// resourceNotFound is the data plane's ResourceNotFoundException for tables.
func resourceNotFound() *apiError {
	return &apiError{Type: modelPrefix + "ResourceNotFoundException", Message: "Requested resource not found"}
}

// resourceNotFoundDetail is the table plane's, which says what was not found.
func resourceNotFoundDetail(format string, args ...any) *apiError {
	return &apiError{
		Type:    modelPrefix + "ResourceNotFoundException",
		Message: "Requested resource not found: " + fmt.Sprintf(format, args...),
	}
}

func tableNotFound(name string) *apiError {
	return resourceNotFoundDetail("Table: %s not found", name)
}

// resourceInUse is a ResourceInUseException with the given message.
func resourceInUse(message string) *apiError {
	return &apiError{Type: modelPrefix + "ResourceInUseException", Message: message}
}

// limitExceeded is a LimitExceededException with the given message.
func limitExceeded(message string) *apiError {
	return &apiError{Type: modelPrefix + "LimitExceededException", Message: message}
}

// conditionalCheckFailed is the answer to a false condition; item is the stored
// item as JSON if the request asked for it, else empty.
func conditionalCheckFailed(item []byte) *apiError {
	e := &apiError{
		Type:    modelPrefix + "ConditionalCheckFailedException",
		Message: "The conditional request failed",
	}
	if len(item) > 0 {
		e.Extra = `,"Item":` + string(item)
	}
	return e
}

// accessDenied tells the caller that the resource belongs to another account.
func (c *call) accessDenied(resource string) *apiError {
	return &apiError{
		Type:       coralPrefix + "AccessDeniedException",
		MessageKey: "Message",
		Message: fmt.Sprintf("User: arn:aws:iam::%s:user/%s is not authorized to perform: dynamodb:%s on resource: %s because no resource-based policy allows the dynamodb:%s action",
			c.account(), c.accessKey, c.op.name, resource, c.op.name),
	}
}

// serialization is a SerializationException about a member of the wrong JSON type.
func serialization(message string) *apiError {
	return &apiError{Type: coralPrefix + "SerializationException", MessageKey: "Message", Message: message}
}

// Answers that never vary.
var (
	errNotJSON          = &apiError{Type: coralPrefix + "SerializationException", NoMessage: true}
	errUnknownOperation = &apiError{Type: coralPrefix + "UnknownOperationException", NoMessage: true}
	errMissingToken     = &apiError{
		Type:    coralPrefix + "MissingAuthenticationTokenException",
		Message: "Request is missing Authentication Token",
	}
	errInternal = &apiError{
		Status:  http.StatusInternalServerError,
		Type:    modelPrefix + "InternalServerError",
		Message: "Internal server error",
	}
)
