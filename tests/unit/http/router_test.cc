// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gtest/gtest.h>

namespace glovebox::http {
namespace {

using Segments = std::vector<std::string>;
using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<Response> Nothing(Request& /*request*/) { return Response::Empty(); }

Router MakeRouter() {
  Router router;
  router.Add(Method::kGet, "/rooms", Nothing);
  router.Add(Method::kPost, "/rooms", Nothing);
  router.Add(Method::kGet, "/rooms/{name}", Nothing);
  router.Add(Method::kDelete, "/rooms/{room}", Nothing);
  router.Add(Method::kPost, "/rooms/search", Nothing);
  router.Add(Method::kGet, "/rooms/{name}/assets/{type}/{asset}", Nothing);
  router.Add(Method::kGet, "/rooms/{name}/assets/TABLE/{asset}/reviews", Nothing);
  router.Add(Method::kGet, "/files/{path...}", Nothing);
  router.Add(Method::kGet, "/files/special", Nothing);
  router.Add(Method::kHead, "/files/{path...}", Nothing);
  return router;
}

TEST(Router, LiteralsWinOverParametersAndParametersOverTails) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kPost, {"rooms", "search"}).route, "/rooms/search");
  EXPECT_EQ(router.Find(Method::kGet, {"rooms", "search"}).route, "/rooms/{name}");  // by its method
  EXPECT_EQ(router.Find(Method::kGet, {"files", "special"}).route, "/files/special");
  EXPECT_EQ(router.Find(Method::kGet, {"files", "special", "x"}).route, "/files/{path...}");
  // The literal TABLE leads nowhere here, the parameter does.
  const Router::Match match = router.Find(Method::kGet, {"rooms", "r", "assets", "TABLE", "t"});
  EXPECT_EQ(match.route, "/rooms/{name}/assets/{type}/{asset}");
  EXPECT_EQ(match.path_parameters, (Parameters{{"name", "r"}, {"type", "TABLE"}, {"asset", "t"}}));
}

TEST(Router, NamesParametersAsTheRouteDoes) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kGet, {"rooms", "a b"}).path_parameters, (Parameters{{"name", "a b"}}));
  EXPECT_EQ(router.Find(Method::kDelete, {"rooms", "x"}).path_parameters, (Parameters{{"room", "x"}}));
}

TEST(Router, TailTakesOneOrMoreSegments) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kGet, {"files", "a", "b", "c"}).path_parameters, (Parameters{{"path", "a/b/c"}}));
  EXPECT_EQ(router.Find(Method::kGet, {"files", "a", ""}).path_parameters, (Parameters{{"path", "a"}}));
  EXPECT_EQ(router.Find(Method::kGet, {"files"}).handler, nullptr);
  EXPECT_EQ(router.Find(Method::kGet, {"files", ""}).handler, nullptr);
  EXPECT_EQ(router.Find(Method::kGet, {"files", "a", "", "b"}).handler, nullptr);
}

TEST(Router, EmptySegmentIsNoParameter) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kGet, {"rooms", ""}).status.code(), ErrorCode::kEndpointNotFound);
  EXPECT_EQ(router.Find(Method::kGet, {""}).status.code(), ErrorCode::kEndpointNotFound);
}

TEST(Router, TellsAWrongMethodFromAWrongPath) {
  const Router router = MakeRouter();
  const Router::Match wrong = router.Find(Method::kPut, {"rooms", "search"});
  EXPECT_EQ(wrong.handler, nullptr);
  EXPECT_EQ(wrong.status.code(), ErrorCode::kMethodNotAllowed);
  EXPECT_EQ(wrong.allow, "DELETE, GET, HEAD, POST");  // of all routes that have the path
  const Router::Match absent = router.Find(Method::kPut, {"nowhere"});
  EXPECT_EQ(absent.status.code(), ErrorCode::kEndpointNotFound);
  EXPECT_EQ(absent.allow, "");
}

TEST(Router, HeadGoesToGet) {
  const Router router = MakeRouter();
  EXPECT_NE(router.Find(Method::kHead, {"rooms"}).handler, nullptr);
  const Router::Match own = router.Find(Method::kHead, {"files", "x"});
  EXPECT_NE(own.handler, nullptr);
  EXPECT_NE(own.handler, router.Find(Method::kGet, {"files", "x"}).handler);
}

TEST(RouterDeathTest, BadPatternsAreDefects) {
  Router router;
  router.Add(Method::kGet, "/a/{b}", Nothing);
  EXPECT_DEATH(router.Add(Method::kGet, "/a/{c}", Nothing), "");
  EXPECT_DEATH(router.Add(Method::kGet, "a", Nothing), "");
  EXPECT_DEATH(router.Add(Method::kGet, "/{a...}/b", Nothing), "");
  EXPECT_DEATH(router.Add(Method::kGet, "/x{a}", Nothing), "");
}

}  // namespace
}  // namespace glovebox::http
