// SPDX-License-Identifier: Apache-2.0
#include "room/core.h"

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class CoreTest : public RoomTest {
 protected:
  CoreTest() { Check(rooms_->rooms().Create(federation_, Spec("games"))); }
  ErrorCode Change() {
    return CodeOf(core_.EnterForChange(federation_, "games", RoomPrivilege::kModify, Joining::kRequired));
  }

  Core core_{{*database_, engine_, *metastores_, *ledger_, clock_, random_, data_folder_, /*room_lock_timeout_ms=*/1}};
};

TEST_F(CoreTest, ARequestDoesNotWaitForALockForLong) {
  const RoomId id = core_.Enter(federation_, "games")->room.id;
  ErrorCode meanwhile = ErrorCode::kOk;
  {
    const RoomLock lock = core_.Lock(id);
    std::thread([&] { meanwhile = Change(); }).join();
  }
  EXPECT_EQ(meanwhile, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Change(), ErrorCode::kOk);
}

}  // namespace
}  // namespace glovebox::room
