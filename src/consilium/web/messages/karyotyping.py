"""What can be wrong with a metaphase and with what is told of its case (`karyotype`). Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "there is no image to karyotype": "没有可用于核型分析的图像",
    "none of the {} images can be used ({})": "{0} 张图像均不可用（{1}）",
    "its objects are about {} pixels wide in a picture of {} x {}, which is far more than one metaphase":
        "{1} × {2} 的图像中对象宽约 {0} 像素，远不止一个中期分裂相",
    "Cut the metaphase out and save it as an image of its own, scanned larger if that can be done":
        "请截取中期分裂相并另存为图像，可能时以更高倍率扫描",
    "only {} chromosome-like objects were found": "只找到 {0} 个类似染色体的对象",
    "Hand in an image of one metaphase spread, at the magnification it was captured with.":
        "请提交单个中期分裂相的图像，并保持采集时的放大倍数。",
    "no chromosome-like object stands out from the background": "背景中未见类似染色体的对象",
    "Hand in one metaphase per image, in focus, with its whole grey range.":
        "请每张图像只含一个中期分裂相，对焦清晰，灰度范围完整。",
    "the picture is blank (grey levels {} to {})": "图像为空白（灰度 {0} 至 {1}）",
    "Check the exposure of the image.": "请检查图像曝光。",
    "the process that worked on it was killed by signal {}": "处理该图像的进程被信号 {0} 终止",
    "the process that worked on it ended with status {}": "处理该图像的进程结束，状态为 {0}",
    "If memory ran out, close other programs or use fewer workers.": "如内存不足，请关闭其他程序或减少并行数。",
    "the case record does not fit its schema: {}": "病例记录不符合其格式：{0}",
    "This is a defect of Consilium; please report it with this message.":
        "这是 Consilium 的缺陷，请连同此信息一并报告。",
    "there is no chromosome {}": "没有 {0} 号染色体",
    "chromosome {} is lost more often than it is there": "{0} 号染色体丢失的次数多于其拷贝数",
    "the changes add up to {} chromosomes, not {}": "各项改变合计为 {0} 条染色体，而不是 {1} 条",
    "the karyotype {} is not understood": "无法识别核型 {0}",
    "no cell has sex chromosomes that a person can have": "没有细胞具有可能的性染色体组成",
    "chromosomes {} pixels wide at {} bphs and a crowding of {} cannot be drawn":
        "无法绘制宽 {0} 像素、{1} bphs、密集度 {2} 的染色体",
    "Take at least 4 pixels, one of {} bphs, and a crowding of 0 to 1.":
        "宽度至少 4 像素，bphs 应为 {0} 之一，密集度为 0 至 1。",
    "no chromosome is called {}": "没有名为 {0} 的染色体",
    "an empty karyotype was asked for": "所要求的核型为空",
    "Chromosomes are 1 to 22, X and Y; karyotype_set('normal female') lists a whole cell.":
        "染色体为 1 至 22、X 和 Y；karyotype_set('normal female') 列出完整的细胞。",
    "there is no cell line {}": "没有细胞系 {0}",
    "The string has {}.": "该核型式有：{0}。",
    "{} cannot be drawn: {}": "无法绘制 {0}：{1}",
    "'specimen' is none that is known": "specimen 不是已知的标本类型",
    "'sex' is none that is known": "sex 不是已知的性别",
    "Write female or male, or leave it out.": "请填写 female 或 male，或不填。",
    "'withhold_sex' is neither true nor false": "withhold_sex 只能为 true 或 false",
    "Write true or false.": "请填写 true 或 false。",
    "'neoplastic' is neither true nor false": "neoplastic 只能为 true 或 false",
    "'band_level' is no whole number": "band_level 不是整数",
    "Write the bands per haploid set, such as 550.": "请填写单倍体条带数，例如 550。",
    "'band_level' is no number of bands": "band_level 不是条带数",
    "Write the bands per haploid set: 550.": "请填写单倍体条带数，例如 550。",
    "{} is another one than that of the command line": "{0} 与命令行中的不同",
    "Leave one of the two out, and exclude a mix-up of specimens.": "请去掉其中一个，并排除标本混淆。",
    "an entry stands there twice": "有重复的项",
    "Leave one of the two.": "请保留其中一个。",
    "the file cannot be read: {}": "无法读取文件：{0}",
    "the file is no JSON in UTF-8": "文件不是 UTF-8 编码的 JSON",
    "the file is no JSON object": "文件不是 JSON 对象",
    "it has {}, which is unknown": "其中的 {0} 未知",
    "{} is no text": "{0} 不是文字",
    "Write it in quotation marks, or leave it out.": "请加引号填写，或不填。",
    "{} is longer than {} letters": "{0} 超过 {1} 个字符",
    "Shorten it.": "请缩短。",
    "{} holds a letter that cannot be printed": "{0} 中有无法显示的字符",
    "Write it on one line of text.": "请写成一行文字。",
    "{} is no date": "{0} 不是日期",
    "Write it as 2026-01-31.": "请写成 2026-01-31 的形式。",
    "the picture cannot be written: {}": "无法写入图像：{0}",
    "Choose a folder that exists and that you may write to.": "请选择已有且可写入的文件夹。",
    "it is a link that leads nowhere": "这是失效的链接",
    "Remove the link.": "请删除该链接。",
    "it is a file, not a folder": "这是文件，不是文件夹",
    "Name a folder for --out.": "请为 --out 指定文件夹。",
    "the folder holds something other than {} that Consilium wrote": "文件夹中有 Consilium 写出的 {0} 以外的内容",
    "Name a new or an empty folder for --out; nothing of yours is ever replaced.":
        "请为 --out 指定新的或空的文件夹；不会覆盖您的任何文件。",
    "nothing can be written there": "此处无法写入",
    "Name another folder for --out.": "请为 --out 指定其他文件夹。",
    "it cannot be written ({})": "无法写入（{0}）",
    "Free the disk, ask for permission, or name another folder for --out.":
        "请腾出磁盘空间，取得写入权限，或为 --out 指定其他文件夹。",
    "Write 'normal female', 'normal male', 'trisomy 21', 'monosomy 7 male', or whole chromosomes in ISCN such as "
    "'45,X', '47,XXY' or '47,XY,+21'.":
        "请填写 normal female、normal male、trisomy 21、monosomy 7 male，或以 ISCN 书写的整条染色体改变，例如 45,X、"
        "47,XXY 或 47,XY,+21。",
    "Write a JSON object with any of {}.": "请写成 JSON 对象，可含：{0}。",
}  # fmt: skip
