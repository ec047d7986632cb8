package arm

import (
	"fmt"
	"reflect"
)

// Decode reads a client's body into the struct that into points to, strictly,
// so that nothing a client asks for is silently ignored:
//
//   - property names match without regard to case; one given twice is refused;
//   - null is the same as an absent property;
//   - a property that the struct has no field for is ignored when it says
//     nothing (null, false, "", {}, []) and else refused with Unsupported;
//   - numbers and booleans may come as strings, and numbers for strings;
//   - a field tagged `arm:"readonly"` takes anything and keeps its value: it is
//     what clients echo back. For what has no field, tag a blank one
//     with arm:"readonly=vmId,timeCreated";
//   - a number tagged `arm:"notzero"` is refused when it is 0: absent means
//     something else there.
//
// Fields that the body does not mention keep their value. Errors are *Error,
// with the path of the property as target.
func Decode(body []byte, into any) error {
	tree, err := parseBody(body)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("decode into %T, which is not a pointer", into)
	}
	return assign(v.Elem(), tree, nil)
}
