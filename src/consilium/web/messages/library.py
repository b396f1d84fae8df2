"""What the library of models refuses, and why it does not trust a model. Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "{} published {}; a second person approves it": "{1} 由 {0} 发布，须由另一人批准",
    "Ask a colleague with the role approver.": "请由具有批准者角色的同事批准。",
    "the key that signed {} was revoked ({})": "签名 {0} 所用的密钥已吊销（{1}）",
    "no version of {} was approved before {}": "{0} 在 {1} 之前没有已批准的版本",
    "To take it back, retire it: consilium library retire.": "如需撤回，请将其停用：consilium library retire。",
    "a version has to be named": "须注明版本",
    "As in {}@1.0.0.": "例如 {0}@1.0.0。",
    "a reason is needed; everybody who uses it will read it": "必须填写理由；所有使用者都会看到",
    "--reason TEXT.": "请用 --reason 填写理由。",
    "it is not the package that was published": "不是所发布的模型包",
    "Do not use this copy; take it anew: consilium library pull.":
        "请勿使用此副本；请重新获取：consilium library pull。",
    "it does not say that it is {} {} of {}": "其说明不是 {2} 的 {0} {1}",
    "its signature is not the one that was published": "其签名不是所发布的签名",
    "its manifest does not know {}": "其清单中没有 {0}",
    "Somebody put it there. Take it away if it is yours; else do not use this copy.":
        "该文件系他人放入。如为您所放，请移走；否则请勿使用此副本。",
    "it is neither a specialist nor a set of karyotyping models": "既不是专科模型，也不是核型分析模型组",
    "Publish the folder that `specialist fit` or `models --bundle` writes.":
        "请发布 `specialist fit` 或 `models --bundle` 写出的文件夹。",
    "its card cannot be used: {}": "模型卡不可用：{0}",
    "it has no network": "没有网络",
    "it has no model card": "没有模型卡",
    "no card describes {}": "没有描述 {0} 的模型卡",
    "{} is not the file that its card describes": "{0} 与模型卡不符",
    "A model is used with its card or not at all; ask its publisher.": "模型须附模型卡才能使用；请联系发布者。",
    "it has no file LICENSE": "没有 LICENSE 文件",
    "its file LICENSE states no terms": "LICENSE 文件未写明条款",
    "{} states no licence of SPDX ({})": "{0} 未注明 SPDX 许可（{1}）",
    "The publisher states it: consilium library publish ... --licence SPDX.":
        "由发布者注明：consilium library publish ... --licence SPDX。",
    "its licence {} is not let in here": "本处不接受其许可 {0}",
    "`consilium library licences` lists what is; a hospital may have its own list.":
        "命令 `consilium library licences` 可列出所接受的许可；医院可有自己的列表。",
    "the licence of its training data {} forbids to hand it on ({})": "其训练数据 {0} 的许可禁止转交（{1}）",
    "Train it again without that set.": "请不使用该数据集重新训练。",
    "nobody said under which licence it learnt from {} ({})": "未注明使用 {0} 训练所依据的许可（{1}）",
    "The publisher states it: --data-licence 'NAME=SPDX'; for cases of his own hospital that agrees to hand on what "
    "was learnt from them: LicenseRef-owner-consents.":
        "由发布者注明：--data-licence 'NAME=SPDX'；如为本院病例且本院同意转交所学内容，请填写 "
        "LicenseRef-owner-consents。",
    "the licence {} of its training data {} is not let in here": "本处不接受其训练数据 {1} 的许可 {0}",
    "{} cannot be read ({})": "无法读取 {0}（{1}）",
    "Ask its publisher for a signed one.": "请向发布者索取已签名的模型。",
    "there is no store of the kind {}://": "没有 {0}:// 类型的存储",
    "A folder, or {}.": "应为文件夹或 {0}。",
    "there is no {} {}": "没有 {0} {1}",
    "`consilium library show {}` lists them.": "命令 `consilium library show {0}` 可列出各版本。",
    "no version of {} is approved": "{0} 没有已批准的版本",
    "To try what waits for approval, say so: {}@candidate.": "如需试用待批准的版本，请注明：{0}@candidate。",
    "no version of {} waits for approval": "{0} 没有待批准的版本",
    "there is no model {} in the library": "模型库中没有模型 {0}",
    "`consilium library search` lists them.": "命令 `consilium library search` 可列出全部模型。",
    "there is no notice {} to you": "您没有通知 {0}",
    "`consilium library notices` lists them.": "命令 `consilium library notices` 可列出全部通知。",
    "it keeps features of {} training cases, which would leave the hospital with it":
        "其中保存有 {0} 个训练病例的特征，将随之离开医院",
    "A data officer of the hospital may decide that: --case-features-may-leave.":
        "由医院的数据官决定：--case-features-may-leave。",
    "A model is handed on with its card.": "转交模型须附模型卡。",
    "Name the key that it was signed with (--verify), or fit it again.":
        "请指定签名所用的密钥（--verify），或重新训练。",
    "its card {} is not JSON": "模型卡 {0} 不是 JSON",
    "its card {} holds no JSON object": "模型卡 {0} 不是 JSON 对象",
    "its card says {}, not {}": "模型卡为 {0}，不是 {1}",
    "{} is no licence expression of SPDX": "{0} 不是 SPDX 许可表达式",
    "As in CC-BY-4.0 or Apache-2.0 AND CC-BY-4.0; own ones begin with LicenseRef-.":
        "例如 CC-BY-4.0 或 Apache-2.0 AND CC-BY-4.0；自有许可以 LicenseRef- 开头。",
    "nobody knows the terms of {}": "没有 {0} 的条款",
    "Give their text: --licence-file FILE.": "请提供条款文本：--licence-file 文件。",
    "the name {} is another hospital's": "名称 {0} 属于另一家医院",
    "Choose another name.": "请选择其他名称。",
    "{} was published with other content; what was published never changes":
        "{0} 已以其他内容发布；已发布的内容不可更改",
    "Give it the next version: --version.": "请使用下一个版本号：--version。",
    "it was not published in a library": "未在模型库中发布",
    "consilium library publish.": "请发布：consilium library publish。",
    "{} was retired: {}": "{0} 已停用：{1}",
    "Take the version that is approved: consilium library show {}.": "请使用已批准的版本：consilium library show {0}。",
    "the key that signed {} was revoked: {}": "签名 {0} 所用的密钥已吊销：{1}",
    "Wait for a version that is signed with a new key.": "请等待以新密钥签名的版本。",
    "the catalogue names a file outside its package ({})": "目录中有文件位于模型包之外（{0}）",
    "{} cannot be the name of a model": "{0} 不能作为模型名称",
    "Lower-case letters and digits, with single hyphens or underscores between; 63 at most.":
        "由小写字母和数字组成，中间可用单个连字符或下划线；最多 63 个字符。",
    "{} is no version": "{0} 不是版本号",
    "Three numbers, as in 1.2.0.": "应为三个数字，例如 1.2.0。",
}  # fmt: skip
