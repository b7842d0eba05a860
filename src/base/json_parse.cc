// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace glovebox::json {
namespace {

using boost::json::error_code;
using BoostView = boost::json::string_view;

// Receives the events of the parser and builds the Value.
class Builder {
 public:
  // Bounds that basic_parser asks for; ours are the size of the text and the depth.
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  // The names below are the parser's.
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return Open<Array>(); }
  bool on_array_end(std::size_t, error_code& ec) { return Close(ec); }
  bool on_object_begin(error_code&) { return Open<Object>(); }
  bool on_object_end(std::size_t, error_code& ec) { return Close(ec); }
  bool on_key_part(BoostView part, std::size_t, error_code&) { return Collect(part); }
  bool on_key(BoostView part, std::size_t, error_code& ec);
  bool on_string_part(BoostView part, std::size_t, error_code&) { return Collect(part); }
  bool on_string(BoostView part, std::size_t, error_code& ec) {
    Collect(part);
    return Add(std::exchange(text_, {}), ec);
  }
  bool on_number_part(BoostView part, error_code&) { return Collect(part); }
  bool on_int64(std::int64_t number, BoostView, error_code& ec) {
    text_.clear();
    return Add(number, ec);
  }
  bool on_uint64(std::uint64_t, BoostView, error_code& ec) { return Refuse("integer out of range", ec); }
  bool on_double(double approximation, BoostView part, error_code& ec);
  bool on_bool(bool value, error_code& ec) { return Add(value, ec); }
  bool on_null(error_code& ec) { return Add(nullptr, ec); }
  bool on_comment_part(BoostView, error_code&) { return true; }
  bool on_comment(BoostView, error_code&) { return true; }

  Value& root() { return root_; }
  // Why we refused, empty if it was the parser.
  [[nodiscard]] std::string_view reason() const { return reason_; }

 private:
  // A container that is not closed yet, and the key under which the next member of it goes.
  struct Frame {
    Value container;
    std::string key;
  };

  bool Collect(BoostView part) {
    text_.append(part.data(), part.size());
    return true;
  }
  template <typename Container>
  bool Open() {
    frames_.emplace_back().container = Container();
    return true;
  }
  bool Close(error_code& ec) {
    Value closed = std::move(frames_.back().container);
    frames_.pop_back();
    return Add(std::move(closed), ec);
  }
  bool Add(Value value, error_code& ec);
  bool Refuse(std::string_view reason, error_code& ec) {
    reason_ = reason;
    ec = make_error_code(boost::json::error::syntax);
    return false;
  }

  Value root_;
  std::vector<Frame> frames_;
  std::string text_;
  std::string_view reason_;
};

bool Builder::on_key(BoostView part, std::size_t, error_code& ec) {
  Collect(part);
  Frame& frame = frames_.back();
  frame.key = std::exchange(text_, {});
  // Asked here and not only when the value is added, so that the offset is that of the key.
  return frame.container.as_object().Find(frame.key) == nullptr || Refuse("a key is there twice", ec);
}

// The parser's own conversion may be off by one unit in the last place; the text is converted again, exactly.
bool Builder::on_double(double approximation, BoostView part, error_code& ec) {
  Collect(part);
  const std::string text = std::exchange(text_, {});
  if (text.find_first_of(".eE") == std::string::npos) {
    return Refuse("integer out of range", ec);
  }
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range && std::abs(approximation) < 1) {
    return Add(std::copysign(0.0, approximation), ec);
  }
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(number)) {
    return Refuse("number out of range", ec);
  }
  return Add(number, ec);
}

bool Builder::Add(Value value, error_code& ec) {
  if (frames_.empty()) {
    root_ = std::move(value);
    return true;
  }
  Frame& frame = frames_.back();
  if (frame.container.is_array()) {
    frame.container.as_array().push_back(std::move(value));
    return true;
  }
  return frame.container.as_object().Insert(std::move(frame.key), std::move(value)) ||
         Refuse("a key is there twice", ec);
}

std::string_view Explain(const error_code& ec) {
  if (ec == boost::json::error::incomplete) {
    return "the text ends too early";
  }
  if (ec == boost::json::error::too_deep) {
    return "nested too deeply";
  }
  if (ec == boost::json::error::extra_data) {
    return "something follows the value";
  }
  if (ec == boost::json::error::illegal_leading_surrogate || ec == boost::json::error::illegal_trailing_surrogate ||
      ec == boost::json::error::expected_utf16_escape) {
    return "half of a surrogate pair";
  }
  return "not JSON in UTF-8";
}

}  // namespace

Result<Value> Parse(std::string_view text, std::size_t depth_max) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<Builder> parser(options);
  error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) {
    ec = make_error_code(boost::json::error::extra_data);
  }
  if (ec) {
    const std::string_view reason = parser.handler().reason();
    return Status(ErrorCode::kMalformedRequest,
                  fmt::format("JSON, at byte {}: {}", used, reason.empty() ? Explain(ec) : reason));
  }
  return std::move(parser.handler().root());
}

}  // namespace glovebox::json
